"""The customer's pages: the HTML half of URLs between whose halves `lib.negotiation.by_format` chooses.

That dispatcher is exempt from the CSRF check, so every page checks for itself.
"""

from aftercart.pages.views.account import forgotten_password, set_email, set_password
from aftercart.pages.views.address import change_address
from aftercart.pages.views.address_book import address_book, address_entry
from aftercart.pages.views.cancellation import cancel, cancel_result, pickup_calendar, take_back, ways
from aftercart.pages.views.guest import guest, guest_code, guest_lookup, guest_withdraw
from aftercart.pages.views.language import choose_language
from aftercart.pages.views.login_code import login_code
from aftercart.pages.views.mail import kept_mail, kept_mail_body, kept_mails, opt_out
from aftercart.pages.views.orders import completed, home, order_detail, order_list, receipt
from aftercart.pages.views.photos import add_photos, return_photo
from aftercart.pages.views.pickup import change_pickup
from aftercart.pages.views.points import points
from aftercart.pages.views.session import login, logout
from aftercart.pages.views.site import style
from aftercart.pages.views.statement import state_withdrawal, statement, statement_order
from aftercart.pages.views.withdrawal import withdraw, withdrawal_receipt
