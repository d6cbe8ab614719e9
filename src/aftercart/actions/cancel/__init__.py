"""Cancel and return items: from what a customer asks for to what comes back."""
