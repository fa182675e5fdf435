"""`backfile completion`: scripts for completion by the shell."""

from __future__ import annotations

import click

from ui.cli.command import Example, ExitCode, ManualPage


@click.command(
    cls=ManualPage,
    examples=[
        Example(
            "Complete in bash: add this line to ~/.bashrc", 'eval "$(backfile completion bash)"'
        ),
        Example(
            "Complete in zsh: add this line to ~/.zshrc, after compinit",
            'eval "$(backfile completion zsh)"',
        ),
        Example(
            "Complete in fish: save the script where fish finds it",
            "backfile completion fish > ~/.config/fish/completions/backfile.fish",
        ),
    ],
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]), help="The shell to support.")
def completion(shell: str) -> int:
    """Print a script that completes commands, options and file names.

    The shell runs the script when it starts; then the Tab key completes what you type after
    `backfile`.
    """
    from click.shell_completion import get_completion_class

    from ui.cli.main import COMPLETION_VARIABLE, cli

    completer = get_completion_class(shell)
    assert completer is not None
    print(completer(cli, {}, "backfile", COMPLETION_VARIABLE).source())
    return ExitCode.DONE
