"""For the type checker only: `detector.database.open_database` sets Django up when the program runs."""

from detector.database import APPS

INSTALLED_APPS = list(APPS)
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SECRET_KEY = "of no use: no request is ever served with these settings"  # noqa: S105
DETECTOR_TIME_ZONE = "UTC"
