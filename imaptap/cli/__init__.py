from click import echo


def main() -> None:
    """Start imaptap."""
    echo("imaptap")
