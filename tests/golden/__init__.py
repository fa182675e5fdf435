"""Golden outputs over the sample archive: answers, searches, commands, help and figures.

Files in `expected/` come in pairs. `NAME.json` holds facts: statements, cited articles and places,
hits in order, scores, times, exit codes. `NAME.words.json` holds the English around them: notices,
reasons, confidence words, printed text. A deliberate change of wording changes the second kind
and `help/` only; a change of the first kind is a change of behaviour.

Run `python -m tests.golden` to write all of them again, or name the kinds to write:
`python -m tests.golden commands help`. Review the difference with `git diff` before you commit it.

`cases.py` lists what is asked. `calls.py` is the only module here that imports the project.
"""
