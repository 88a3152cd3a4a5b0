"""Sessions: a signed cookie that names the user."""

from itsdangerous import BadSignature, URLSafeTimedSerializer

from ml_platform.home.login import users
from ml_platform.home.login.users import User
from ml_platform.home.settings import HomeSettings

COOKIE = "ml_platform_home"
HOURS = 12
SALT = "session of the home page"


def start(settings: HomeSettings, user: User) -> str:
    """Return the cookie of a new session."""
    return _serializer(settings).dumps([user.name, user.stamp])


def user_of(settings: HomeSettings, cookie: str | None) -> User | None:
    """Return the user of a session; None if it is invalid, is over, or the user has another password or role now."""
    try:
        name, stamp = _serializer(settings).loads(cookie or "", max_age=HOURS * 3600)
    except (BadSignature, ValueError, TypeError):
        return None
    user = users.find(settings, str(name))
    return user if user and user.stamp == stamp else None


def _serializer(settings: HomeSettings) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings.home_session_key.get_secret_value(), salt=SALT)
