"""How what isn't there is refused."""


class NotHere(NotImplementedError):
    """Something of Glue's that this package hasn't got."""

    def __init__(self, what, instead=None):
        super().__init__(f"{what} isn't there in this awsglue" + (f": {instead}" if instead else ""))


def refuse(what, instead=None):
    raise NotHere(what, instead)


def refuse_options(where, options, known):
    """Refuses options that are given and would change nothing."""
    for name, value in (options or {}).items():
        if name not in known and value is not None:
            raise NotHere(f"{where}: the option {name}")
