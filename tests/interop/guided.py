"""Judges access tokens by the module that docs/guide.md shows.

stdin:  {"tokens": [..], "client_id", "client_secret"}
stdout: for each token [its claims or the name of the exception, whether the issuer calls it active]
"""

import json
import sys

import jwt
import verify

given = json.load(sys.stdin)
client = given["client_id"], given["client_secret"]


def verdict(token):
    try:
        claims = verify.claims_of(token)
    except jwt.PyJWTError as error:
        claims = type(error).__name__
    return [claims, verify.is_active(token, *client)]


json.dump([verdict(token) for token in given["tokens"]], sys.stdout)
