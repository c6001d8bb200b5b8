"""Text records of the DNS, where the public keys of mail signatures are published."""

import dns.exception
import dns.name
import dns.resolver

from imprimatur.errors import Unavailable

ANSWER_WITHIN_SECONDS = 5.0
# What a signature can name that can stand nowhere in the DNS.
_NO_NAMES = (dns.name.LabelTooLong, dns.name.NameTooLong, dns.resolver.YXDOMAIN)


def text_record(name: str) -> bytes | None:
    """None when there is none. Raises Unavailable ``sender_key_unavailable`` when nobody can tell now."""
    try:
        answer = dns.resolver.resolve(name, "TXT", lifetime=ANSWER_WITHIN_SECONDS)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.exception.SyntaxError, *_NO_NAMES):
        return None
    except (dns.exception.DNSException, OSError) as error:
        raise Unavailable(
            "sender_key_unavailable",
            f"The key {name} of a signature cannot be asked for now.",
            "The message is dealt with when it comes again; admins look at the name servers of this machine.",
        ) from error
    return b"".join(next(iter(answer)).strings)
