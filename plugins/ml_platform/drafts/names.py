"""What the name of a column says about it: whether it may be a key, a label, a time, or only an input."""

import re
from collections.abc import Iterable

_KEY_WORDS = {
    "id",
    "ids",
    "key",
    "pk",
    "uuid",
    "guid",
    "nr",
    "no",
    "num",
    "number",
    "code",
    "cod",
    "index",
    "idx",
    "serial",
}
_NO_IDS = {
    "paid", "unpaid", "prepaid", "valid", "invalid", "grid", "solid", "humid", "acid", "bid", "covid", "fluid",
    "liquid", "rapid", "hybrid", "aid", "lid", "mid", "kid", "void", "android", "thyroid", "steroid", "said", "orchid",
    "idle", "idea", "ideal", "ideology",
}  # fmt: skip
_PERIODS = {
    "year", "month", "week", "day", "weekday", "hour", "minute", "second", "quarter", "season", "date", "time",
    "weekend", "holiday", "years", "months", "timestamp", "jahr", "monat", "tag", "datum",
}  # fmt: skip  # days and hours are amounts of time, and may be predicted
_YEARS = {"year", "years", "yr", "yrs", "jahr", "jahre", "month", "months", "mo", "monat"}
_INPUTS = {
    "age", "sex", "gender", "race", "ethnicity", "nationality", "name", "lat", "lon", "long", "lng", "latitude",
    "longitude", "treatment", "treat", "trt", "treated", "group", "arm", "dose", "stratum", "zip", "zipcode",
    "postcode", "plz", "country", "state", "city", "region", "address", "phone", "email", "cohort", "subcohort",
    "block", "plot", "site", "center", "centre", "batch", "fold", "split", "sample", "married", "marital", "divorced",
    "widowed", "children", "kids", "education", "educ", "occupation", "religion", "religious", "female", "male",
    "black", "white", "hispanic", "ethn", "eth", "urban", "rural", "private", "north", "south", "east", "west",
    "birth", "born", "foreign", "foreigner", "immigrant", "citizen", "citizenship", "retired", "veteran", "smoke",
    "smokes", "smoker", "smoking",
}  # fmt: skip
_NO_NUMBERS = {"class", "label"}
_TARGETS = {"target", "label", "y", "outcome", "response", "depvar", "class", "ziel", "zielvariable"}
_EVENTS = {
    "churn", "churned", "default", "defaulted", "survived", "survival", "fraud", "fraudulent", "late", "delayed",
    "converted", "conversion", "attrition", "risk", "bad", "failure", "failed", "fail", "spam", "clicked", "click",
    "purchase", "purchased", "bought", "subscribed", "deposit", "approved", "denied", "deny", "rejected", "accepted",
    "admitted", "readmitted", "exited", "left", "arrest", "arrested", "died", "death", "dead", "deceased", "event",
    "status", "diagnosis", "disease", "malignant", "stroke", "vote", "voted", "won", "win", "winner", "result",
    "passed", "choice", "decision", "cancelled", "canceled", "returned", "complaint", "defect", "defective", "anomaly",
    "creditability", "recidivism", "satisfaction", "satisfied", "income", "gekuendigt", "kuendigung", "ausfall",
    "storno",
    "cens", "censored", "censor", "mortality", "alive", "recurrence", "relapse", "readmission", "success", "successful",
    "accident", "claim", "hired", "repaid", "lapse", "renewed", "responded", "booked", "sold", "show", "attack",
    "phishing", "toxic", "infected", "case", "cancer", "tumor", "prognosis",
    "participation", "participated", "partic", "participates", "takeup", "uptake", "adopted", "adoption", "enrolled",
    "graduated", "dropout", "delinquent", "delinquency", "bankrupt", "bankruptcy", "breakdown", "hospitalized",
    "remission", "cured", "promoted", "retained", "redeemed", "occupied", "injured", "fatal", "reoffended",
}  # fmt: skip
_KINDS = {
    "species", "quality", "sentiment", "genre", "severity", "priority", "grade", "diagnosis", "variety",
    "cultivar", "activity", "digit", "emotion", "topic",
}  # fmt: skip
_WEAK_KINDS = {"type", "category", "kind"}  # as often inputs
_OUTCOMES = {
    "died", "dead", "deceased", "alive", "survived", "released", "recovered", "discharged", "malignant", "benign",
    "approved", "denied", "rejected", "accepted", "refused", "promoted", "fired", "hired", "churned", "stayed", "won",
    "lost", "passed", "failed", "positive", "negative", "cancelled", "canceled", "returned", "delivered", "repaid",
    "defaulted", "fraud", "legitimate", "spam", "ham", "phishing",
}  # fmt: skip
_QUANTITIES = {
    "price", "cost", "costs", "salary", "wage", "wages", "sales", "revenue", "profit", "value", "amount", "amt",
    "charges", "charge", "mpg", "medv", "score", "demand", "count", "cnt", "total", "rent", "yield", "strength",
    "consumption", "spending", "expenditure", "earnings", "balance", "rating", "delay", "duration", "quality", "grade",
    "tip", "fare", "claims", "expectancy", "emissions", "loss", "visits", "ridership", "turnover", "pay", "rate",
    "perf", "performance", "lifetime", "clv", "ltv", "rul", "throughput", "premium", "magnitude",
    "preis", "umsatz", "kosten", "betrag",
}  # fmt: skip
_FILLERS = {
    "is", "has", "was", "will", "be", "flag", "ind", "indicator", "the", "in", "of",
    "eur", "euro", "euros", "usd", "gbp", "dollar", "dollars", "kg", "mm", "cm", "km", "mpa", "kwh", "pct", "percent",
}  # fmt: skip
_GLUED = tuple(word for word in _QUANTITIES if len(word) > 4)  # saleprice, testscore
_MILES_PER_GALLON = ["miles", "per", "gallon"]


def words(name: str) -> list[str]:
    """Return the words of a name in lower case: customer and id for customerID and CUSTOMER_ID."""
    return re.findall("[a-z]+", re.sub("(?<=[a-z0-9])(?=[A-Z])", "_", name).lower())


def is_key_like(name: str) -> bool:
    """Return whether a column is named like a key, such as customer_id, idcase or Kundennr."""
    parts = words(name)
    if not parts or set(parts) & _NO_IDS:
        return False
    return (
        parts[-1] in _KEY_WORDS
        or parts[0] in ("id", "uuid", "guid")
        or parts[-1].endswith(("id", "nr", "num", "cod", "code"))
        or (len(parts) == 1 and parts[0].startswith("id"))
    )


def entity_words(name: str) -> list[str]:
    """Return the words of a key's name without those that only say that it is a key: customer for customer_id."""
    return [word for word in words(name) if word not in _KEY_WORDS]


def is_period(name: str) -> bool:
    """Return whether a name is that of a date, a time or a part of one, such as sched_dep_time or YearBuilt."""
    parts = words(name)
    return bool(set(parts[-1:]) & _PERIODS or set(parts) & _YEARS)


def is_usual_input(name: str) -> bool:
    """Return whether a name is one of attributes that hardly anybody predicts, such as age, sex or latitude."""
    return bool(set(words(name)[-1:]) & _INPUTS)


def is_in_title(name: str, title: str) -> bool:
    """Return whether a file or a data set is named after a column, such as churn.csv after churned.

    Args:
        name: of the column.
        title: the name of the file, without its ending, or of the data set.
    """
    parts = {_stem(word) for word in words(name)} - _FILLERS
    return bool(parts) and not is_usual_input(name) and parts <= {_stem(word) for word in words(title)}


def has_outcomes(values: Iterable[str]) -> bool:
    """Return whether two or more values of a class are outcomes, such as released and deceased."""
    return len(_OUTCOMES.intersection(value.lower() for value in values)) > 1


def _stem(word: str) -> str:
    return re.sub("(?<=[a-z]{3})(ed|d|s|ing)$", "", word)


def label_evidence(name: str, *, values: int, is_number: bool) -> tuple[int, str]:
    """Return how much the name of a column speaks for the label, 0 to 6, and why.

    Args:
        name: of the column.
        values: how many different values it has.
        is_number: whether it would be predicted as a number.
    """
    every = words(name)
    parts = [word for word in every if word not in _FILLERS]
    outcomes = (
        _TARGETS - _NO_NUMBERS
        if is_number
        else _TARGETS | (_EVENTS if values == 2 else _EVENTS - {"income", "deposit"})
    )
    others = _QUANTITIES if is_number else _KINDS
    if parts and set(parts) <= outcomes:
        is_sure = values == 2 or set(parts) & _TARGETS  # an event happens or not: more values are a weaker evidence
        return 6 if is_sure else 5, "its name is typical of a label"
    if (len(parts) == 1 and parts[0] in others) or (is_number and every == _MILES_PER_GALLON):
        return 5, "its name is one that is often predicted"
    if values == 2 and len(every) == 1 and every[0].endswith(("stat", "status")):
        return 5, "its name is a status"  # fustat, beside futime
    if parts and {parts[0], parts[-1]} & outcomes:
        return 3, "its name contains a word that is typical of a label"
    is_glued = is_number and len(every) == 1 and every[0].endswith(_GLUED) and not every[0].startswith("log")
    if parts and (parts[-1] in others or is_glued):
        return 2, "its name ends in a word that is often predicted"
    if parts and parts[-1] in _WEAK_KINDS and not is_number:
        return 1, "its name ends in a word that is sometimes predicted"
    return 0, ""
