"""Verifies access tokens with PyJWT, through the issuer's JWKS URL.

stdin:  {"jwks", "issuer", "audience", "tokens": [..]}
stdout: for each token its claims, or {"refused": name of the exception}
"""

import json
import sys

import jwt

given = json.load(sys.stdin)
keys = jwt.PyJWKClient(given["jwks"])


def verdict(token):
    try:
        key = keys.get_signing_key_from_jwt(token)
        return jwt.decode(
            token, key, algorithms=["EdDSA"], issuer=given["issuer"], audience=given["audience"],
            options={"require": ["exp", "iat", "iss", "aud", "sub", "jti"]},
        )
    except jwt.PyJWTError as error:
        return {"refused": type(error).__name__}


json.dump([verdict(token) for token in given["tokens"]], sys.stdout)
