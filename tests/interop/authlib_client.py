"""Speaks to the issuer as an OAuth client, with Authlib.

stdin:  {"issuer", "client_id", "client_secret", "refresh_token", "signing": {"client_id", "jwk"}}
stdout: what each request was answered, by its name
"""

import json
import os
import sys
import time

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # plain http, on loopback

from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.jwk import OKPKey

given = json.load(sys.stdin)
issuer = given["issuer"]
token_endpoint = f"{issuer}/oauth/token"


def by_secret(method):
    return OAuth2Session(given["client_id"], given["client_secret"], token_endpoint_auth_method=method)


answers = {}
for method in ("client_secret_basic", "client_secret_post"):
    session = by_secret(method)
    answers[method] = session.fetch_token(token_endpoint, grant_type="client_credentials", scope="r")
    introspected = session.introspect_token(f"{issuer}/oauth/introspect", token=answers[method]["access_token"])
    answers[f"{method} introspected"] = introspected.json()

session = by_secret("client_secret_basic")
answers["refreshed"] = session.refresh_token(token_endpoint, refresh_token=given["refresh_token"])
session.revoke_token(f"{issuer}/oauth/revoke", token=answers["refreshed"]["access_token"]).raise_for_status()
introspected = session.introspect_token(f"{issuer}/oauth/introspect", token=answers["refreshed"]["access_token"])
answers["revoked"] = introspected.json()

# Its assertions live for an hour unless told otherwise; the issuer takes five minutes at most. Given claims of our own it
# names each assertion alike, so there is one for each object.
short = {"exp": int(time.time()) + 60}
signing = given["signing"]
session = OAuth2Session(signing["client_id"], OKPKey.import_key(signing["jwk"]), token_endpoint_auth_method="private_key_jwt")
session.register_client_auth_method(PrivateKeyJWT(token_endpoint, claims=short, alg="EdDSA"))
answers["private_key_jwt"] = session.fetch_token(token_endpoint, grant_type="client_credentials")

json.dump(answers, sys.stdout)
