"""The one normal form of an e-mail address: what is stored, what is looked for and what is counted."""


def fold_email(text: str) -> str:
    """Return the address as it is stored and compared: without blanks around it, in lower case.

    Look up what is stored by equality with this, never by `iexact` or `upper()`: in upper case a dotless and a
    dotted i, or a long and a round s, are one e-mail, so that two spellings that are counted apart would find one row.
    """
    return text.strip().lower()
