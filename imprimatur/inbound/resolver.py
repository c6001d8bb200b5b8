"""Text records of the DNS, where the public keys of mail signatures are published."""

import dns.exception
import dns.name
import dns.resolver

from imprimatur.errors import Unavailable

ANSWER_WITHIN_SECONDS = 5.0
# What a signature can name that can stand nowhere in the DNS.
_NO_NAMES = (dns.name.LabelTooLong, dns.name.NameTooLong, dns.resolver.YXDOMAIN)


def text_record(
    name: str, resolver: dns.resolver.Resolver | None = None, within_seconds: float = ANSWER_WITHIN_SECONDS
) -> bytes | None:
    """None when there is none; asked of the machine's own name servers, unless others are given.

    Raises Unavailable ``sender_key_unavailable`` when nobody can tell now.
    """
    try:
        asked = resolver or dns.resolver.get_default_resolver()
        answer = asked.resolve(name, "TXT", lifetime=within_seconds)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.exception.SyntaxError, *_NO_NAMES):
        return None
    except (dns.exception.DNSException, OSError) as error:
        raise Unavailable(
            "sender_key_unavailable",
            f"The key {name} of a signature cannot be asked for now.",
            "The message is dealt with when it comes again; admins look at the name servers of this machine.",
        ) from error
    return b"".join(next(iter(answer)).strings)
