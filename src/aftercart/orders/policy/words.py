"""What clauses are called, and what the customer is told: in a clause's own words, or in its topic's."""

from aftercart.lib.formats import get_active_language
from aftercart.orders.facts import CaseKind
from aftercart.orders.policy.clauses import Clause
from aftercart.orders.policy.topics import Topic


def get_code(topic: Topic, clause: Clause | None) -> str:
    """Give the stable code of what a clause says, or of what a topic says where no clause does."""
    return (clause.code if clause else "") or topic.declared.code


def say_sentence(topic: Topic, clause: Clause | None, kind: CaseKind) -> str:
    """Say to the customer, in their language, what a clause says: in its own words, or in the topic's."""
    own = ""
    if clause is not None:
        is_turkish = get_active_language() == "tr"
        first, second = clause.message_en, clause.message_tr
        own = (second or first) if is_turkish else (first or second)
    if own:
        return own
    declared = topic.declared
    return str((declared.address_sentence if kind == "address_change" else "") or declared.sentence)
