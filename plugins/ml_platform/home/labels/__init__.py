"""What the page Label is made of besides its questions: the files of answers."""
