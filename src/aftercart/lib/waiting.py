"""How a request says that it can wait for the answer of an earlier one, and an answer that it is to be waited for.

The front (aftercart.front) lets such a request wait without a thread, and then asks again. Any other server sends the
409 that the answer is.
"""

from typing import Final

#: Of the WSGI environ, true where the server may ask again. No header of a client's becomes it.
MAY_WAIT: Final = "aftercart.may_wait"
#: Of the answer: the id of the record whose answer is to be waited for. It never leaves the server.
RUNNING_HEADER: Final = "X-Aftercart-Running"
