"""Whether something listens and speaks."""

import smtplib
import socket


def answers_tcp(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=2):
            return True
    except OSError:
        return False


def answers_smtp(host: str, port: int) -> bool:
    try:
        with smtplib.SMTP(host, port, timeout=2) as relay:
            return relay.noop()[0] == 250
    except (OSError, smtplib.SMTPException):
        return False
