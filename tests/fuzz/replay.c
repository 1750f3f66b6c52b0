/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * In the fuzzer's place where there is none: runs a harness on the files that
 * are its arguments, each in a process of its own, and prints TAP.
 */
#include "fuzz.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define INPUT_SIZE_MAX (1024 * 1024)

static uint8_t input[INPUT_SIZE_MAX];

static void run(const char *path)
{
    FILE *file = fopen(path, "rb");
    size_t size;

    FUZZ_CHECK(file);
    size = fread(input, 1, sizeof(input), file);
    FUZZ_CHECK(!ferror(file) && size < sizeof(input));
    fclose(file);
    /* What does not end is a failure too. */
    alarm(60);
    exit(LLVMFuzzerTestOneInput(input, size));
}

int main(int argc, char **argv)
{
    bool is_ok = true;

    for (int i = 1; i < argc; i++) {
        int status = -1;
        pid_t pid;

        fflush(stdout);
        pid = fork();
        if (!pid)
            run(argv[i]);
        if (pid < 0 || waitpid(pid, &status, 0) != pid)
            status = -1;
        printf("%sok - %s\n", status ? "not " : "", argv[i]);
        is_ok &= !status;
    }
    printf("1..%d\n", argc - 1);
    return is_ok ? 0 : 1;
}
