"""What several pages share: the person, the chosen data set, actions, texts, and parts that may be missing."""
