"""What each act does, in the words of its form: before it is done."""

from dataclasses import dataclass

from imprimatur.access.acts import CaseAct


@dataclass(frozen=True)
class ActWords:
    """``people`` says who is told, ``clocks`` what becomes of due times, ``back`` whether it can be taken back."""

    title: str
    button: str
    happens: str
    people: str
    clocks: str
    back: str


_NO_CLOCK = "No due time changes."
_RECORDED = "The record stays."
WORDS: dict[CaseAct, ActWords] = {
    CaseAct.HOLD: ActWords(
        "Put the case on hold",
        "Put it on hold",
        "Nothing falls due, nobody is reminded and nobody decides until it is resumed. Tasks stay where they are.",
        "Everybody who is waited for is told by mail, with your reason.",
        "The clocks of the case and of its stages stand still.",
        "Resume the case whenever you like; the time that was left is given back.",
    ),
    CaseAct.RESUME: ActWords(
        "Resume the case",
        "Resume it",
        "The case goes on where it stood.",
        "Everybody who is waited for is told by mail, with the new date.",
        "Each stage and the case get the business time that was left, counted from now. What was late stays late.",
        "The case can be put on hold again.",
    ),
    CaseAct.EXTEND: ActWords(
        "Give a stage more time",
        "Give more time",
        "The stage gets more business time in its own calendar, from its due time, or from now if that has passed.",
        "Whoever is waited for in the stage is told the new date by mail.",
        "Reminders and escalations come anew. A breach that was recorded stays; the promise for the whole case too.",
        "Time that was given is not taken back.",
    ),
    CaseAct.SEND_BACK: ActWords(
        "Send the case back to a stage",
        "Send it back",
        "The stage and all that needs it are decided anew, in a new round; the proposal stays as it is.",
        "Open tasks of these stages close and their holders are told; reviewers are asked anew.",
        "The whole time is promised anew for these stages.",
        "It cannot be taken back. Earlier decisions stay in the record, and no longer count.",
    ),
    CaseAct.REASSIGN: ActWords(
        "Give a task to somebody else",
        "Give it to them",
        "The new holder decides in the same role, with the same weight. The link of the old one is void at once.",
        "The old holder and the new one are told by mail.",
        "The new holder has the time that is left.",
        "The task can be reassigned again, to somebody who was not asked before in this stage and round.",
    ),
    CaseAct.DELEGATE: ActWords(
        "Pass your task on",
        "Pass it on",
        "The new holder decides in your place. Your own link is void at once.",
        "The new holder gets a mail, and you get one that says so.",
        "The new holder has the time that is left.",
        "You cannot take the task back; the governance office can reassign it.",
    ),
    CaseAct.NUDGE: ActWords(
        "Remind now",
        "Remind them",
        "Whoever is waited for gets a reminder now. If nobody is, nothing is recorded.",
        "Everybody who is waited for, in the whole case or in one stage.",
        _NO_CLOCK,
        "A mail that was sent cannot be taken back.",
    ),
    CaseAct.SKIP: ActWords(
        "Leave a stage out",
        "Propose to leave it out",
        "This is the first half: nothing changes until somebody else of the office confirms it.",
        "The others of the governance office are told by mail. Reviewers hear of it when it is confirmed.",
        _NO_CLOCK,
        "Until it is confirmed it has no effect, and it never takes effect if the stage moves on.",
    ),
    CaseAct.OVERRIDE: ActWords(
        "Decide a stage in its reviewers' place",
        "Propose this outcome",
        "This is the first half: nothing changes until somebody else of the office confirms it. Reviewers can go on "
        "answering meanwhile.",
        "The others of the governance office are told by mail. Reviewers hear of it when it is confirmed.",
        _NO_CLOCK,
        "Until it is confirmed it has no effect, and it never takes effect if the stage moves on.",
    ),
    CaseAct.CONFIRM: ActWords(
        "Confirm as the second person",
        "Confirm it",
        "What the first person proposed takes effect at once, and both names are recorded.",
        "Holders of open tasks in the stage are told that these are closed; the proposer hears of the outcome.",
        "The stage's clock ends; stages that needed it begin.",
        "It cannot be taken back. The case can be sent back to the stage while it runs.",
    ),
    CaseAct.ANNUL: ActWords(
        "Annul an answer",
        "Annul it",
        "The answer no longer counts and stays visible as annulled; its reviewer is asked once more.",
        "The reviewer gets a new mail with a new link.",
        "The reviewer has the time that is left.",
        f"It cannot be taken back; the reviewer can give the same answer again. {_RECORDED}",
    ),
    CaseAct.WITHDRAW: ActWords(
        "Withdraw the case",
        "Withdraw it for good",
        "The case ends. Nothing is published.",
        "Everybody who is waited for is told that their task is closed, and the proposer that the case has ended.",
        "All clocks end.",
        f"It cannot be taken back: propose it anew as another case. {_RECORDED}",
    ),
    CaseAct.CLAIM: ActWords(
        "Claim the task",
        "Claim it",
        "The task is yours. Whoever claims first has it; offers to others close with the last place.",
        "Nobody gets a mail: whose offer closes sees it on the task's page.",
        _NO_CLOCK,
        "You can give the task back on its page.",
    ),
    CaseAct.MOVE_ITEM: ActWords(
        "Move to another sitting",
        "Move it",
        "The stage is decided at another sitting of its committee; the minutes of the first name it as moved.",
        "Whoever records the committee's decision is told the new date by mail.",
        "Due time, reminders and escalations follow the new sitting.",
        "It can be moved again.",
    ),
    CaseAct.FULFIL: ActWords(
        "Report a condition as fulfilled",
        "Report it",
        "What you say is recorded as the proof. The condition waits for whoever set it, or the office, to accept it.",
        "Whoever set the condition is told by mail.",
        "Its clock ends when it is reported in time; asked for more, it runs on.",
        "It cannot be taken back; whoever judges it can ask for more.",
    ),
    CaseAct.JUDGE: ActWords(
        "Judge a condition",
        "Record it",
        "Accepted or waived, the condition is settled; if it was the last that held up the publication, that goes on. "
        "Asking for more opens it again.",
        "Whoever is to see to the condition is told by mail.",
        "A settled condition has no clock.",
        "What is accepted or waived cannot be opened again.",
    ),
    CaseAct.RETRACT: ActWords(
        "Take the published record back",
        "Retract it for good",
        "The record says from now on that it was retracted, and why; every target gives it back. One that is not "
        "public yet never will be.",
        "Nobody gets a mail. Whoever opens the record's address reads your reason.",
        _NO_CLOCK,
        "It cannot be taken back: propose the micro-credential anew. The address stays, and says what became of it.",
    ),
    CaseAct.RETRY_PUBLICATION: ActWords(
        "Try the publication again",
        "Try it again",
        "What failed last is done once more at every target that the framework names by now. All of them get the "
        "record, or none keeps it.",
        "Nobody gets a mail; the office does when it fails again.",
        _NO_CLOCK,
        "Once it is published, it can be retracted.",
    ),
    CaseAct.SCHEDULE_PUBLICATION: ActWords(
        "Set the day of the publication",
        "Set the day",
        "The record is not public before that day, and is published on it if the case is approved by then.",
        "Nobody gets a mail. The day stands on the page of the case.",
        "No due time of a stage changes.",
        "The day can be changed until it has come.",
    ),
    CaseAct.CALL_REVIEW: ActWords(
        "Call a review now",
        "Call the review",
        "A review begins as a case of its own, with your reason. The one that had its day is not held besides.",
        "Whoever reviews is asked by mail.",
        "The review has the time that its framework gives. The next one is counted from its end.",
        "It cannot be taken back; the review itself can be withdrawn.",
    ),
    CaseAct.MOVE_REVIEW: ActWords(
        "Move the next review",
        "Move it",
        "The next review is due on another day, earlier or later, as far as the framework lets it be put off.",
        "Nobody gets a mail now; the office is told before the day comes.",
        "The review falls due at the beginning of that day.",
        "It can be moved again until it is called.",
    ),
    CaseAct.HAND_OVER_AGAIN: ActWords(
        "Hand over once more",
        "Hand it over",
        "Those who deliver it are asked anew, with your reason, and every target that the framework names gets the "
        "package as it is by now. So is what was published before hand-overs were asked for.",
        "Whoever is to take it up is asked by mail.",
        "The hand-over has the time that its framework gives.",
        "It cannot be taken back; whoever is asked can send it back.",
    ),
    CaseAct.RETRY_HANDOVER: ActWords(
        "Try the hand-over again",
        "Try it again",
        "What failed of the last hand-over is done once more: at targets that have not got the package, and with "
        "people who were not asked.",
        "Whoever was not asked yet is asked by mail; the office hears when it fails again.",
        _NO_CLOCK,
        "Once it is handed over, those who got it can send it back.",
    ),
}
