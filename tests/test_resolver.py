"""Keys out of the DNS: a real name server on the loopback tells what there is, or nothing at all."""

import socket
import threading
from collections.abc import Iterator

import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from imprimatur.errors import Unavailable
from imprimatur.inbound.resolver import text_record

LONG = ("v=DKIM1; k=rsa; p=" + "A" * 200, "B" * 60)
ANSWERS = {
    "sel._domainkey.example.edu.": 'TXT "{}" "{}"'.format(*LONG),
    "other._domainkey.example.edu.": "",
    "broken._domainkey.example.edu.": "SERVFAIL",
}


def respond(data: bytes) -> bytes:
    query = dns.message.from_wire(data)
    name = str(query.question[0].name)
    response = dns.message.make_response(query)
    said = ANSWERS.get(name, "NXDOMAIN")
    if said.startswith("TXT "):
        response.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", said.removeprefix("TXT ")))
    elif said:
        response.set_rcode(dns.rcode.from_text(said))
    return response.to_wire()


@pytest.fixture(scope="module")
def servers() -> Iterator[dns.resolver.Resolver]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def serve() -> None:
            while (received := server.recvfrom(4096))[0] != b"stop":
                server.sendto(respond(received[0]), received[1])

        thread = threading.Thread(target=serve)
        thread.start()
        yield resolver(server.getsockname()[1])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"stop", server.getsockname())
        thread.join()


def resolver(port: int) -> dns.resolver.Resolver:
    found = dns.resolver.Resolver(configure=False)
    found.nameservers, found.port = ["127.0.0.1"], port
    return found


def test_a_record_in_several_parts_is_one(servers: dns.resolver.Resolver) -> None:
    assert text_record("sel._domainkey.example.edu", servers) == "".join(LONG).encode()


@pytest.mark.parametrize("name", ["none._domainkey.example.edu", "other._domainkey.example.edu", "a..b", "x" * 70])
def test_what_does_not_exist_is_no_key(servers: dns.resolver.Resolver, name: str) -> None:
    assert text_record(name, servers) is None


def test_a_name_server_that_is_out_of_order_is_asked_again_later(servers: dns.resolver.Resolver) -> None:
    with pytest.raises(Unavailable) as put_off:
        text_record("broken._domainkey.example.edu", servers, 1.0)
    assert put_off.value.code == "sender_key_unavailable"


def test_a_silent_name_server_is_asked_again_later() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        with pytest.raises(Unavailable) as put_off:
            text_record("sel._domainkey.example.edu", resolver(deaf.getsockname()[1]), 0.2)
    assert put_off.value.code == "sender_key_unavailable"
