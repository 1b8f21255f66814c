"""Verifies status lists with python-cwt, through the issuer's JWKS URL, and reads their bits.

stdin:  {"jwks", "lists": [base64, ..]}
stdout: for each list {"iss", "sub", "iat", "exp", "ttl", "aggregation_uri", "length", "revoked": [index, ..]}, or
        {"refused": name of the exception}
"""

import base64
import json
import sys
import urllib.request
import zlib

import cwt

given = json.load(sys.stdin)
with urllib.request.urlopen(given["jwks"]) as response:
    published = json.load(response)["keys"]
# python-cwt wants to know what a key may do; `purpose` is ours and nothing to it.
keys = [cwt.COSEKey.from_jwk(jwk) for jwk in published if jwk["purpose"] == "revocations"]


def verdict(document):
    try:
        claims = cwt.decode(base64.b64decode(document), keys)  # the signature, exp, and nothing behind the value
    except (cwt.CWTError, ValueError) as error:
        return {"refused": type(error).__name__}
    status_list = claims[65533]
    assert status_list["bits"] == 1
    bits = zlib.decompress(status_list["lst"])
    return {
        "iss": claims[1], "sub": claims[2], "exp": claims[4], "iat": claims[6], "ttl": claims[65534],
        "aggregation_uri": status_list["aggregation_uri"], "length": 8 * len(bits),
        "revoked": [index for index in range(8 * len(bits)) if bits[index >> 3] >> (index & 7) & 1],
    }


json.dump([verdict(document) for document in given["lists"]], sys.stdout)
