"""What each step of the canary story comes to: its status and its audit rows.

A row is action, outcome, actor and the number of patients it names; a step's rows are
sorted. No row: nobody was let in or turned away, and nothing was read.
"""

from __future__ import annotations

from pathlib import Path

MODELS = Path(__file__).resolve().parents[2] / "model_repository"


def own(*actions: str, outcome: str = "SUCCESS", patients: int = 1) -> list[tuple]:
    """Rows of the clinician."""
    return sorted((action, outcome, "clinician", patients) for action in actions)


def stranger(action: str) -> list[tuple]:
    """The row of somebody unknown, who is turned away."""
    return [(action, "DENIED", "anonymous", 0)]


def command(name: str, *rows: tuple[str, str, int]) -> list[tuple]:
    """Rows of a command."""
    return sorted((what, how, f"command:{name}", many) for what, how, many in rows)


denied = {"outcome": "DENIED"}
failed = own("PULL", outcome="FAILED")
forecast = own("PULL", "FORECAST")
correlation = own("PULL", "CORRELATE")
advice = own("PULL", "ADVISE")
login = own("LOGIN", patients=0)
sent, refused = ("DELIVER", "SUCCESS", 1), ("DELIVER", "FAILED", 1)
no_file, file = ("FILE", "FAILED", 0), ("FILE", "SUCCESS", 0)
known = ("REGISTER", "SUCCESS", "system:catalogue", 0)

WAITING = 6  # deliveries: four forecasts, one link, one medicine

STEPS: dict[str, tuple[int, list[tuple]]] = {
    "enrol two patients": (0, command("accounts", *[("REGISTER", "SUCCESS", 1)] * 2)),
    "health": (200, [known] * sum(one.is_dir() for one in MODELS.iterdir())),
    "another host": (400, []),
    "wrong password": (401, stranger("LOGIN")),
    "credentials cut off": (400, []),
    "no token": (401, stranger("LIST")),
    "bad token": (401, stranger("LIST")),
    "bad token, forecast": (401, stranger("FORECAST")),
    "bad token, correlation": (401, stranger("CORRELATE")),
    "bad token, advice": (401, stranger("ADVISE")),
    "token with a space": (401, stranger("LIST")),
    "path nobody knows": (404, []),
    "EHR's id in place of ours": (404, []),
    "right password": (201, login),
    "list patients": (200, own("LIST")),
    "read patient": (200, own("READ")),
    "forecast": (201, forecast),
    "forecast again": (200, forecast),
    "list forecasts": (200, own("LIST")),
    "read forecast": (200, own("READ")),
    "correlation": (201, correlation),
    "correlation again": (200, correlation),
    "list correlations": (200, own("LIST")),
    "read correlation": (200, own("READ")),
    "advice": (201, advice),
    "advice again": (200, advice),
    "list advice": (200, own("LIST")),
    "read advice": (200, own("READ")),
    "list alerts": (200, own("LIST")),
    "acknowledge": (200, own("ACKNOWLEDGE")),
    "seen alerts": (200, own("LIST")),
    "unknown patient": (404, own("READ", **denied, patients=0)),
    "foreign patient": (404, own("READ", **denied)),
    "foreign patient's forecasts": (404, own("LIST", **denied)),
    "foreign patient's forecast": (404, own("PULL", **denied)),
    "unknown forecast": (404, own("READ", **denied, patients=0)),
    "foreign patient's correlations": (404, own("LIST", **denied)),
    "foreign patient's correlation": (404, own("PULL", **denied)),
    "unknown correlation": (404, own("READ", **denied, patients=0)),
    "foreign patient's list of advice": (404, own("LIST", **denied)),
    "foreign patient's advice": (404, own("PULL", **denied)),
    "unknown advice": (404, own("READ", **denied, patients=0)),
    "nonsense fact": (400, []),
    "too many medicines": (422, []),
    "nonsense length": (400, []),
    "no days at all": (422, []),
    "unknown alert": (404, own("ACKNOWLEDGE", **denied, patients=0)),
    "nonsense query": (400, []),
    "body cut off": (400, []),
    "body too deep": (400, []),
    "body no object": (400, []),
    "nonsense day": (400, []),
    "first day of the calendar": (400, []),
    "EHR refuses": (502, failed),
    "EHR refuses, correlation": (502, failed),
    "EHR refuses, advice": (502, failed),
    "EHR babbles": (502, failed),
    "EHR babbles, correlation": (502, failed),
    "EHR babbles, advice": (502, failed),
    "EHR elsewhere": (502, failed),
    "EHR elsewhere, correlation": (502, failed),
    "EHR elsewhere, advice": (502, failed),
    "delivery refused": (0, command("deliver", *[sent, refused] * WAITING)),
    "commands": (
        3,  # two files that are no diaries, one patient who is unknown
        command(
            "forecast",
            *(no_file, file, no_file),
            ("PULL", "DENIED", 0),
            ("PULL", "SUCCESS", 1),
            ("FORECAST", "SUCCESS", 1),
        ),
    ),
    "delivery": (0, command("deliver", ("ADMIN", "SUCCESS", 1), *[sent] * WAITING)),
    "admin, not signed in": (302, stranger("ADMIN")),
    "admin, wrong password": (200, stranger("LOGIN")),
    "admin, signed in": (302, login),
    "admin, patients": (200, own("ADMIN")),
    "admin, patient": (200, own("ADMIN")),
    "admin, foreign": (302, own("ADMIN", **denied, patients=0)),
    "admin, history": (200, own("ADMIN")),
    "admin, no such id": (302, own("ADMIN", **denied, patients=0)),
    "admin, delete": (403, own("ADMIN", **denied)),
    "admin, alerts": (200, own("ADMIN")),
    "admin, search": (200, own("ADMIN", patients=0)),
    "admin, no such page": (404, []),
    "admin, users": (403, own("ADMIN", **denied, patients=0)),
    "admin, no such form": (403, own("ADMIN", **denied, patients=0)),
    "admin, forged": (403, []),  # the token of the form is asked for before the user
    "signed in again": (201, login),
    "EHR down": (503, failed),
    "EHR down, correlation": (503, failed),
    "EHR down, advice": (503, failed),
    "list while the EHR is down": (200, own("LIST")),
    "read while the EHR is down": (200, own("READ")),
    "read after the restart": (200, own("READ")),
    "read the correlation after it": (200, own("READ")),
    "read the advice after it": (200, own("READ")),
    "sign out": (204, own("LOGOUT", patients=0)),
    "signed out": (401, stranger("LIST")),
    "verify": (0, command("verify_audit", ("VERIFY", "SUCCESS", 0))),
}
