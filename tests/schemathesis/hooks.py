"""What Schemathesis is told about the daemon beyond its document."""

import hypothesis
import schemathesis

# Hypothesis climbs towards requests that are accepted, and its climb ends in an IndexError when a better request has fewer
# parts (6.170.15, optimiser.py). Without a target it makes requests as it always did.
hypothesis.target = lambda *_, **__: None


@schemathesis.hook
def filter_case(context, case):
    """Leaves out the client that the run itself is: without it, all that follows would be answered 401. And parameters without a
    value, which count as if they were not there (RFC 6749 §3.1), so that a wrong request becomes a right one: no schema says so."""
    is_admin = (case.path_parameters or {}).get("client_id") == "admin"
    return not is_admin and "" not in (case.query or {}).values()
