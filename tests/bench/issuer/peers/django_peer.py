"""Django REST framework with simplejwt, its blacklist and rotation, on SQLite: settings and routes in one file.

    python django_peer.py            makes the tables and one user, in the folder of the environment variable FOLDER
    gunicorn django_peer:application

POST /mint            {"refresh"}: a pair for the user, as a login view makes it once the password was right
POST /token/refresh   simplejwt's own view
"""

import os
from pathlib import Path

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="benchmarks-only-0123456789abcdef0123456789abcdef",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],  # as every new project has it; it sends Content-Length
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "rest_framework",
        "rest_framework_simplejwt.token_blacklist",
    ],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": Path(os.environ["FOLDER"]) / "db.sqlite3",
            "CONN_MAX_AGE": None,
            # Waiting at the start of a transaction is fair; asking for more in its middle fails at once.
            "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20},
        }
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": [], "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"]},
    SIMPLE_JWT={"ROTATE_REFRESH_TOKENS": True, "BLACKLIST_AFTER_ROTATION": True},
)
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402
from rest_framework_simplejwt.tokens import RefreshToken  # noqa: E402
from rest_framework_simplejwt.views import TokenRefreshView  # noqa: E402


class Mint(APIView):
    def post(self, _request):
        refresh = RefreshToken.for_user(User.objects.get(pk=1))
        return Response({"access": str(refresh.access_token), "refresh": str(refresh)})


urlpatterns = [path("mint", Mint.as_view()), path("token/refresh", TokenRefreshView.as_view())]
application = get_wsgi_application()

if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    User.objects.create_user("kim", password=None)
