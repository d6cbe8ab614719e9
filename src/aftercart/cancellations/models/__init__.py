"""The life of a cancellation, and what it is judged by: a module for each thing."""

from aftercart.cancellations.models.address_changes import AddressChange
from aftercart.cancellations.models.deliveries import DecisionNotice, Delivery
from aftercart.cancellations.models.easy_return import EasyReturnCompany, ReturnInstructions
from aftercart.cancellations.models.holds import Installation, SendingHold
from aftercart.cancellations.models.photos import ReturnPhoto
from aftercart.cancellations.models.policies import PolicyRule, PolicyVersion
from aftercart.cancellations.models.public_statements import PublicStatement
from aftercart.cancellations.models.quotes import Destination, RefundQuote, RefundQuoteLine
from aftercart.cancellations.models.read_budget import ReadBudget
from aftercart.cancellations.models.reasons import CancellationReason, CancellationType
from aftercart.cancellations.models.requests import CancellationRequest
from aftercart.cancellations.models.setbacks import Setback
from aftercart.cancellations.models.spares import SpareRequest
from aftercart.cancellations.models.submissions import (
    LONGEST_DESCRIPTION,
    LONGEST_PREFERENCE,
    Submission,
    SubmissionLine,
)
from aftercart.cancellations.models.syncing import Difference, SyncCursor
from aftercart.cancellations.models.withdrawals import Withdrawal, WithdrawalLine, WithdrawalPolicy
