"""The obvious monolith: one Flask application that reads a roll, judges each row by marshmallow, stores the rows by SQLAlchemy's
ORM and answers when they are stored. What a team would otherwise write, written as well as its way allows."""
