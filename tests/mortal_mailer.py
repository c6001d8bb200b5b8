"""A mailer in a process of its own, which a test kills: address of the database and port of the relay."""

import asyncio
import sys

from temporalio.testing import ActivityEnvironment

from imprimatur.store.engine import Database
from models.messages import MailerInput
from tests.relay import Post

if __name__ == "__main__":
    mailer = Post.at(Database(sys.argv[1]), int(sys.argv[2])).mailer()
    asyncio.run(ActivityEnvironment().run(mailer.drain_outbox, MailerInput(relay="test")))
