# SPDX-License-Identifier: LGPL-2.1-or-later
"""xl numa-placement watch in a terminal of its own. Prints TAP; needs no Xen.

The terminal is a pseudo terminal whose other end is read here; what is on its
screen is what came after the last "home".
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

HERE = os.path.dirname(os.path.abspath(__file__))
HOST = HERE + "/../hosts/guests/lab-2x2.json"
PROGRAM = os.environ.get("XL_NUMA_PLACEMENT",
                         os.getcwd() + "/xl-plugin/xl-numa-placement")
ENTER, LEAVE = b"\033[?1049h", b"\033[?1049l"
failed = 0
nr = 0


def is_(text, got, expected):
    global failed, nr
    nr += 1
    if got == expected:
        print(f"ok {nr} - {text}")
        return
    failed = 1
    print(f"not ok {nr} - {text}")
    for line in f"got:\n{got}\nexpected:\n{expected}".splitlines():
        print("#   " + line)


class Terminal:
    """A program in a terminal, in a session of its own as a shell's job."""

    def __init__(self, *arguments, rows=24, columns=80):
        self.said = b""
        # The shell stays between, so that the terminal stays to be looked at.
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            # nohup and shells' background jobs hand some on as ignored
            for number in signal.SIGHUP, signal.SIGINT, signal.SIGQUIT:
                signal.signal(number, signal.SIG_DFL)
            os.environ.update(LC_ALL="C.UTF-8", XL_NUMA_CONF="/dev/null")
            os.execv("/bin/sh", ["sh", "-c",
                     'stty -a >"$0"; sleep 0.1; "$@"; echo "status $?"; '
                     'stty -a >"$0.after"', self.path(), PROGRAM, "watch",
                     *arguments])
        self.resize(rows, columns)

    def path(self):
        return f"{os.environ['TMP_WATCH']}/stty"

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ,
                    struct.pack("HHHH", rows, columns, 0, 0))

    def read_until(self, what, after=0, seconds=20):
        """Returns whether the text comes, behind the first `after` bytes."""
        until = time.monotonic() + seconds
        while what not in self.said[after:] and time.monotonic() < until:
            if not select.select([self.fd], [], [], 0.2)[0]:
                continue
            try:
                piece = os.read(self.fd, 65536)
            except OSError:
                break
            if not piece:
                break
            self.said += piece
        return what in self.said[after:]

    def screen(self):
        last = self.said.split(b"\033[H")[-1].split(LEAVE)[0]
        text = re.sub(r"\033\[[?0-9]*[A-Za-z]", "", last.decode())
        return [line.rstrip() for line in text.split("\r\n")]

    def press(self, keys):
        os.write(self.fd, keys)

    def child(self):
        """The program's own process id."""
        with open(f"/proc/{self.pid}/task/{self.pid}/children") as children:
            return int(children.read().split()[0])

    def finish(self):
        """To the end of it; returns whether the terminal is as it was."""
        if not self.read_until(b"status "):
            os.killpg(self.pid, signal.SIGKILL)
        self.read_until(b"\0", seconds=3)
        os.waitpid(self.pid, 0)
        os.close(self.fd)
        with open(self.path()) as before, open(self.path() + ".after") as after:
            return re.sub("rows.*;", "", before.read()) == \
                re.sub("rows.*;", "", after.read())

    def status(self):
        found = re.search(rb"status (\d+)", self.said)
        return found and int(found.group(1))


def the_list(columns=80):
    return subprocess.run([PROGRAM, "list", "--host", HOST],
                          env={"COLUMNS": str(columns), "LC_ALL": "C.UTF-8"},
                          capture_output=True, text=True,
                          check=True).stdout.splitlines()


def until_a_key():
    terminal = Terminal("--host", HOST, "-n", "0.3")
    terminal.read_until(b"\033[J")
    screen = terminal.screen()
    is_("the first line tells when, how many, how often and how to end",
        re.sub("^..:..:..", "HH:MM:SS", screen[0]),
        "HH:MM:SS  6 guests, every 0.3 s; any key ends")
    is_("the rows are those of the list", screen[2:], the_list())
    at = len(terminal.said)
    is_("it is drawn again", terminal.read_until(b"\033[J", at), True)
    terminal.press(b"\033[A")
    is_("a key, of several bytes, ends it; the terminal is as it was",
        (terminal.finish(), terminal.status(), terminal.said.count(ENTER),
         terminal.said.count(LEAVE)), (True, 0, 1, 1))
    is_("nothing of the key is left for the shell",
        b"[A" in terminal.said.split(LEAVE)[-1], False)


def new_size():
    terminal = Terminal("--host", HOST, "-n", "60")
    terminal.read_until(b"\033[J")
    at = len(terminal.said)
    terminal.resize(5, 132)
    terminal.read_until(b"\033[J", at)
    lines = the_list(132)
    is_("another size is obeyed at once; what does not fit is counted",
        terminal.screen()[2:],
        lines[:2] + [f"{len(lines) - 2} more lines: see \"list\""])
    terminal.press(b"q")
    terminal.finish()


def signals():
    for number in signal.SIGTERM, signal.SIGINT, signal.SIGHUP:
        terminal = Terminal("--host", HOST, "-n", "60")
        terminal.read_until(b"\033[J")
        os.kill(terminal.child(), number)
        is_(f"{number.name} ends it, and the terminal is as it was",
            (terminal.finish(), terminal.status(), terminal.said.count(LEAVE)),
            (True, 128 + number, 1))


def wait_stopped(pid):
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with open(f"/proc/{pid}/stat") as stat:
            if stat.read().rsplit(")", 1)[1].split()[0] == "T":
                break
        time.sleep(0.05)


def stopped():
    terminal = Terminal("--host", HOST, "-n", "60")
    terminal.read_until(b"\033[J")
    child, at = terminal.child(), len(terminal.said)
    os.kill(child, signal.SIGTSTP)
    left = terminal.read_until(LEAVE, at)
    wait_stopped(child)
    at = len(terminal.said)
    os.kill(child, signal.SIGCONT)
    is_("stopped it gives the screen back, and comes again",
        (left, terminal.read_until(ENTER, at),
         terminal.read_until(b"any key", at)), (True, True, True))
    terminal.press(b"q")
    is_("and ends as ever", (terminal.finish(), terminal.status()), (True, 0))


def file_goes():
    path = os.environ["TMP_WATCH"] + "/host.json"
    with open(HOST, "rb") as host, open(path, "wb") as copy:
        copy.write(host.read())
    terminal = Terminal("--host", path, "-n", "0.2")
    terminal.read_until(b"\033[J")
    os.unlink(path)
    terminal.read_until(b"No such file")
    terminal.read_until(b"\033[J", len(terminal.said) - 4)
    is_("what cannot be read is said, and what was there stays",
        (terminal.screen()[1], terminal.screen()[2:]),
        (path + ": No such file or directory", the_list()))
    with open(HOST, "rb") as host, open(path, "wb") as copy:
        copy.write(host.read())
    time.sleep(1)
    at = len(terminal.said)
    terminal.read_until(b"\033[J", at)
    terminal.read_until(b"\033[J", len(terminal.said))
    is_("until it can be read again", terminal.screen()[1], "")
    terminal.press(b"q")
    terminal.finish()


def main():
    until_a_key()
    new_size()
    signals()
    stopped()
    file_goes()
    print(f"1..{nr}")


if __name__ == "__main__":
    import tempfile
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TMP_WATCH"] = folder
        main()
    sys.exit(failed)
