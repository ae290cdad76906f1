"""Runs a program on a terminal of its own: terminal.py PROMPT ANSWER PROGRAM [ARGUMENT...].

When the prompt appears and what is typed is no longer shown, types the answer. Prints everything the terminal showed and ends with the program's status.
"""

import os
import pty
import sys
import termios

prompt, answer, *program = sys.argv[1:]
process, terminal = pty.fork()
if process == 0:
    os.execvp(program[0], program)
shown, answered = b"", False
while True:
    try:
        more = os.read(terminal, 4096)
    except OSError:
        break
    if not more:
        break
    shown += more
    if not answered and prompt.encode() in shown:
        while termios.tcgetattr(terminal)[3] & termios.ECHO:
            pass
        os.write(terminal, answer.encode() + b"\n")
        answered = True
sys.stdout.buffer.write(shown.replace(b"\r\n", b"\n"))
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
