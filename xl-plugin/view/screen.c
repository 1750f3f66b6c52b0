/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The terminal. Whatever ends the program, but for a signal that cannot be caught, leaves
 * the terminal as it was. Does not know what is shown.
 */
#include "view/screen.h"

#include <errno.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "model/message.h"

/* As COLUMNS says, else the terminal; 0: there is neither. */
static long wished_columns(void)
{
    const char *wish = getenv("COLUMNS");
    long columns = wish ? strtol(wish, NULL, 10) : 0;
    struct winsize size;

    if (columns <= 0)
        columns = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) ? 0 : size.ws_col;
    return columns > 0 ? columns : 0;
}

unsigned screen_line(void)
{
    return wished_columns() ? screen_columns() : UINT_MAX;
}

unsigned screen_columns(void)
{
    long columns = wished_columns();

    if (!columns)
        columns = SCREEN_COLUMNS;
    if (columns < SCREEN_COLUMNS_MIN)
        columns = SCREEN_COLUMNS_MIN;
    return columns > SCREEN_COLUMNS_MAX ? SCREEN_COLUMNS_MAX
                                        : (unsigned)columns;
}

bool screen_has_unicode(void)
{
    return setlocale(LC_CTYPE, "") &&
           !strcasecmp(nl_langinfo(CODESET), "UTF-8");
}

void screen_size(unsigned *rows_r, unsigned *columns_r)
{
    struct winsize size;

    *rows_r = 24;
    *columns_r = SCREEN_COLUMNS;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
        return;
    if (size.ws_row)
        *rows_r = size.ws_row;
    if (size.ws_col)
        *columns_r = size.ws_col;
}

/* --- a screen to itself ---------------------------------------------------- */

/* The other screen, no cursor, no wrapping; and back. */
#define ENTER "\033[?1049h\033[?25l\033[?7l\033[H\033[2J"
#define LEAVE "\033[?7h\033[?25h\033[?1049l"

/* A signal finds the terminal by these, so there is one. */
static struct termios termios_before, termios_ours;
static volatile sig_atomic_t is_entered, is_to_draw;

static void say(const char *text, size_t length)
{
    while (length) {
        ssize_t n = write(STDOUT_FILENO, text, length);

        if (n < 0 && errno != EINTR)
            return;
        if (n > 0) {
            text += n;
            length -= (size_t)n;
        }
    }
}

/* These two and what they call may run in a signal's handler. */
static void set_ours(void)
{
    tcsetattr(STDIN_FILENO, TCSANOW, &termios_ours);
    say(ENTER, sizeof(ENTER) - 1);
}

static void set_before(void)
{
    say(LEAVE, sizeof(LEAVE) - 1);
    tcsetattr(STDIN_FILENO, TCSANOW, &termios_before);
}

static void on_end(int signal_)
{
    int err = errno;

    if (is_entered)
        set_before();
    is_entered = 0;
    raise(signal_); /* its handler is the default again */
    errno = err;
}

/* From the keyboard; goes on when the program is in the foreground again. */
static void on_stop(int signal_)
{
    int err = errno;

    (void)signal_;
    set_before();
    do
        raise(SIGSTOP);
    while (tcgetpgrp(STDIN_FILENO) != getpgrp());
    set_ours();
    is_to_draw = 1;
    errno = err;
}

static void on_size(int signal_)
{
    (void)signal_;
    is_to_draw = 1;
}

static const struct caught {
    void (*handler)(int);
    int number;
    int flags;
} caught[] = {
    { on_end, SIGINT, SA_RESETHAND },  { on_end, SIGTERM, SA_RESETHAND },
    { on_end, SIGHUP, SA_RESETHAND },  { on_end, SIGQUIT, SA_RESETHAND },
    { on_end, SIGABRT, SA_RESETHAND }, { on_end, SIGSEGV, SA_RESETHAND },
    { on_stop, SIGTSTP, SA_RESTART },  { on_size, SIGWINCH, SA_RESTART },
};

#define NR(array) (sizeof(array) / sizeof(*(array)))

static struct sigaction action_before[NR(caught)];
static sigset_t mask_before;

/* Signals that need a new drawing stay pending until screen_wait(). */
static void catch_signals(void)
{
    sigset_t later;

    sigemptyset(&later);
    sigaddset(&later, SIGWINCH);
    sigaddset(&later, SIGTSTP);
    sigprocmask(SIG_BLOCK, &later, &mask_before);
    for (size_t i = 0; i < NR(caught); i++) {
        struct sigaction action = { .sa_handler = caught[i].handler,
                                    .sa_flags = caught[i].flags };

        sigfillset(&action.sa_mask);
        sigaction(caught[i].number, &action, &action_before[i]);
        /* What the user wants ignored (nohup) stays so. */
        if (action_before[i].sa_handler == SIG_IGN)
            sigaction(caught[i].number, &action_before[i], NULL);
    }
}

static void release_signals(void)
{
    for (size_t i = 0; i < NR(caught); i++)
        sigaction(caught[i].number, &action_before[i], NULL);
    sigprocmask(SIG_SETMASK, &mask_before, NULL);
}

int screen_enter(char *message)
{
    *message = '\0';
    if (tcgetattr(STDIN_FILENO, &termios_before))
        return xlnuma__fail(message, XLNUMA_ERR_IO, "the terminal: %s",
                            strerror(errno));
    termios_ours = termios_before;
    termios_ours.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    termios_ours.c_cc[VMIN] = 0;
    termios_ours.c_cc[VTIME] = 0;
    fflush(stdout);
    catch_signals();
    is_entered = 1;
    set_ours();
    return 0;
}

void screen_leave(void)
{
    if (is_entered)
        set_before();
    is_entered = 0;
    release_signals();
}

enum screen_event screen_wait(double seconds)
{
    struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
    struct timespec time = { (time_t)seconds, 0 };
    char keys[64];
    int nr;

    time.tv_nsec = (long)((seconds - (double)time.tv_sec) * 1e9);
    nr = ppoll(&in, 1, &time, &mask_before);
    if (is_to_draw || (nr < 0 && errno == EINTR)) {
        is_to_draw = 0;
        return SCREEN_DRAW;
    }
    if (nr == 0)
        return SCREEN_TIME;
    /* A key may be several bytes: they are not for the shell. */
    while (read(STDIN_FILENO, keys, sizeof(keys)) == (ssize_t)sizeof(keys))
        ;
    return SCREEN_KEY;
}

void screen_show(const char *text, unsigned nr_lines, const char *last)
{
    static const char home[] = "\033[H", next[] = "\033[K\r\n",
                      end[] = "\033[K\033[J";

    say(home, sizeof(home) - 1);
    for (unsigned i = 0; *text && i < nr_lines; i++) {
        size_t length = strcspn(text, "\n");

        if (i) /* not behind the last line: the screen would scroll */
            say(next, sizeof(next) - 1);
        if (i + 1 == nr_lines && *last)
            say(last, strlen(last));
        else
            say(text, length);
        text += length + (text[length] == '\n');
    }
    say(end, sizeof(end) - 1);
}
