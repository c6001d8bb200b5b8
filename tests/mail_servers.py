"""A Postfix and a Dovecot of our own, on loopback, with nothing of the machine's own configuration; for tests."""

import os
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from imprimatur.embedded.home import LOOPBACK, free_port
from imprimatur.embedded.probes import answers_tcp

USER, PASSWORD = "replies", "p@ss wörd"
PATIENCE_SECONDS = 180.0


def program(name: str) -> str:
    """Where a program is; skips where it is absent, or may not do what it must."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"needs {name}")
    if os.geteuid() != 0:
        pytest.skip("needs to be root, for mail servers change to users of their own")
    return found


@contextmanager
def held_port() -> Iterator[int]:
    """A port at which nothing answers, and which nobody else is given: listen on it with SO_REUSEPORT."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind((LOOPBACK, free_port()))
        yield holder.getsockname()[1]


@contextmanager
def _folder(name: str) -> Iterator[Path]:
    """Where users of the servers may go too, which the folders of tests are closed to; and short, for sockets."""
    folder = Path(tempfile.mkdtemp(prefix=f"imprimatur-{name}-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def _running(command: list[str], ready: Callable[[], bool], told: Callable[[], str]) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not ready():
            assert process.poll() is None and time.monotonic() < deadline, told()[-3000:]
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(30)


def _log_of(file: Path) -> str:
    return file.read_text(errors="replace") if file.exists() else "nothing was logged"


@dataclass(frozen=True)
class Dovecot:
    """Every domain is one mailbox, ``USER@DOMAIN``, which takes whatever comes to the domain."""

    folder: Path
    imap_port: int
    imaps_port: int
    lmtp_port: int

    def url(self, domain: str, folder: str = "", password: str = "p%40ss%20w%C3%B6rd", scheme: str = "imap") -> str:
        port = self.imaps_port if scheme == "imaps" else self.imap_port
        return f"{scheme}://{USER}%40{domain}:{password}@localhost:{port}/{folder}"

    def deliver(self, recipient: str, raw: bytes, sender: str = "somebody@example.edu") -> None:
        with smtplib.LMTP(LOOPBACK, self.lmtp_port, timeout=PATIENCE_SECONDS) as client:
            client.sendmail(sender, [recipient], raw)

    def files(self, domain: str) -> list[Path]:
        """Messages of the inbox, in the order in which they came; a file's name ends with its flags."""
        found = [file for name in ("new", "cur") for file in (self.folder / "mail" / domain / name).glob("*")]
        return sorted(found, key=lambda file: file.name.split(":")[0])

    def messages(self, domain: str) -> list[EmailMessage]:
        found = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in self.files(domain)]
        return [message for message in found if isinstance(message, EmailMessage)]

    def make_folder(self, domain: str, name: str) -> None:
        self._doveadm("mailbox", "create", "-u", f"{USER}@{domain}", name)

    def number_anew(self, domain: str, uid_validity: int) -> None:
        """As after a restored backup: the same messages under other numbers."""
        for file in (self.folder / "mail" / domain).glob("dovecot*"):
            file.unlink()
        self._doveadm("mailbox", "update", "--uid-validity", str(uid_validity), "-u", f"{USER}@{domain}", "INBOX")

    def _doveadm(self, *arguments: str) -> None:
        command = [program("doveadm"), "-c", str(self.folder / "dovecot.conf"), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
        assert done.returncode == 0, done.stderr


_DOVECOT = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap lmtp
listen = 127.0.0.1
ssl = {tls}
disable_plaintext_auth = no
auth_mechanisms = plain
auth_failure_delay = 0
auth_username_chars =
mail_location = maildir:{folder}/mail/%d
first_valid_uid = 1
lmtp_save_to_detail_mailbox = no
recipient_delimiter =
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%n {folder}/users
}}
userdb {{
  driver = static
  args = uid=dovecot gid=dovecot home={folder}/mail/%d allow_all_users=yes
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  inet_listener imap {{
    address = 127.0.0.1
    port = {imap_port}
  }}
  inet_listener imaps {{
    address = 127.0.0.1
    port = {imaps_port}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp_port}
  }}
}}
"""


@contextmanager
def dovecot(chain: Path | None = None) -> Iterator[Dovecot]:
    """``chain``: certificate, then key; without it nothing is encrypted."""
    command = [program("dovecot"), "-F", "-c"]
    with _folder("dovecot") as folder:
        server = Dovecot(folder, free_port(), free_port() if chain else 0, free_port())
        config, log = folder / "dovecot.conf", folder / "log"
        ports = {"imap_port": server.imap_port, "imaps_port": server.imaps_port, "lmtp_port": server.lmtp_port}
        keys = f"ssl_cert = <{chain}\nssl_key = <{chain}\n" if chain else ""
        config.write_text(_DOVECOT.format(folder=folder, tls="yes" if chain else "no", **ports) + keys)
        (folder / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n", encoding="utf-8")
        (folder / "mail").mkdir()
        shutil.chown(folder / "mail", "dovecot", "dovecot")

        def ready() -> bool:
            return answers_tcp(LOOPBACK, server.imap_port) and answers_tcp(LOOPBACK, server.lmtp_port)

        with _running([*command, str(config)], ready, lambda: _log_of(log)):
            yield server


@dataclass(frozen=True)
class Postfix:
    folder: Path
    port: int

    @property
    def log(self) -> str:
        return _log_of(self.folder / "log" / "mail")


_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.example.edu
mydestination =
inet_interfaces = loopback-only
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
alias_maps =
alias_database =
local_recipient_maps =
local_transport = error:no local mail
relay_domains =
virtual_mailbox_domains = static:all
virtual_mailbox_maps = static:all
virtual_transport = lmtp:inet:127.0.0.1:{lmtp_port}
transport_maps = {transports}
recipient_delimiter = +
lmtp_destination_recipient_limit = 1
lmtp_host_lookup = native
smtputf8_enable = no
maillog_file_prefixes = {folder}
maillog_file = {folder}/log/mail
import_environment = MAIL_CONFIG
minimal_backoff_time = 1s
maximal_backoff_time = 1s
lmtp_connection_cache_on_demand = no
queue_run_delay = 1s
smtpd_tls_security_level = {tls}
smtpd_tls_chain_files = {chain}
"""
_MASTER = """
{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
"""


@contextmanager
def postfix(lmtp_port: int, chain: Path | None = None, **transports: int) -> Iterator[Postfix]:
    """Brings everything to an LMTP port; ``transports`` name others by domain, with ``_`` for its full stops.

    ``chain``: certificate, then key; with it nothing is taken that is not encrypted.
    """
    command = [program("postfix"), "-c"]
    with _folder("postfix") as folder:
        server = Postfix(folder, free_port())
        (folder / "etc").mkdir()
        (folder / "log").mkdir()
        (folder / "queue").mkdir()
        (folder / "data").mkdir()
        shutil.chown(folder / "data", "postfix")
        others = [f"{{ {name.replace('_', '.')}=lmtp:inet:127.0.0.1:{port} }}" for name, port in transports.items()]
        if chain is not None:
            # The other way round than everybody else: the key comes first.
            certificate, begin, key = chain.read_text().partition("-----BEGIN PRIVATE KEY-----")
            (folder / "etc" / "chain.pem").write_text(f"{begin}{key}{certificate}")
        main = _MAIN.format(
            folder=folder,
            lmtp_port=lmtp_port,
            transports=f"inline:{{ {', '.join(others)} }}" if others else "",
            tls="encrypt" if chain else "none",
            chain=folder / "etc" / "chain.pem" if chain else "",
        )
        (folder / "etc" / "main.cf").write_text(main)
        (folder / "etc" / "master.cf").write_text(_MASTER.format(port=f"{LOOPBACK}:{server.port}"))
        command += [str(folder / "etc"), "start-fg"]
        with _running(command, lambda: answers_tcp(LOOPBACK, server.port), lambda: server.log):
            try:
                yield server
            finally:
                # What was started is a script; its server is a child of its own, and takes its children with it.
                os.kill(int((folder / "queue" / "pid" / "master.pid").read_text()), signal.SIGTERM)
