"""Flask-JWT-Extended with the revocation table of its documentation, on SQLite by Flask-SQLAlchemy; refresh tokens rotate.

    python flask_peer.py             makes the table, in the folder of the environment variable FOLDER
    gunicorn flask_peer:application

POST /mint            {"access", "refresh"}
POST /token/refresh   with the refresh token as bearer: it is revoked, and a new pair answered
"""

import os

from flask import Flask, jsonify
from flask_jwt_extended import JWTManager, create_access_token, create_refresh_token, get_jwt, get_jwt_identity, jwt_required
from flask_sqlalchemy import SQLAlchemy

application = Flask(__name__)
application.config["JWT_SECRET_KEY"] = "benchmarks-only-0123456789abcdef0123456789abcdef"
application.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{os.environ['FOLDER']}/db.sqlite3"
application.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"connect_args": {"timeout": 20}}
db = SQLAlchemy(application)
jwt = JWTManager(application)


class Revoked(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    jti = db.Column(db.String(36), nullable=False, unique=True)


@jwt.token_in_blocklist_loader
def is_revoked(_header, payload):
    return db.session.query(Revoked.id).filter_by(jti=payload["jti"]).scalar() is not None


def pair(identity):
    return jsonify(access=create_access_token(identity), refresh=create_refresh_token(identity))


@application.post("/mint")
def mint():
    return pair("1")


@application.post("/token/refresh")
@jwt_required(refresh=True)
def refresh():
    db.session.add(Revoked(jti=get_jwt()["jti"]))
    db.session.commit()
    return pair(get_jwt_identity())


if __name__ == "__main__":
    with application.app_context():
        db.create_all()
