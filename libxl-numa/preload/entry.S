/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where calls of the interposed functions arrive: each is passed on to where
 * choose.c says, with all of its arguments, in registers and on the stack, as
 * they are. So a function of a version of Xen that we do not know may have others
 * than we know of (xc_domain_restore() of 4.22 does). What is done with a call is
 * in preload.c.
 */
#ifndef __x86_64__
#error "for x86-64 alone"
#endif

        .text

        /* The function's number is in %eax: find out where it is to go. */
first_call:
        .cfi_startproc
        .irp register, rdi, rsi, rdx, rcx, r8, r9
        push %\register
        .cfi_adjust_cfa_offset 8
        .endr
        sub $8, %rsp
        .cfi_adjust_cfa_offset 8
        mov %eax, %edi
        call xlnuma__choose
        add $8, %rsp
        .cfi_adjust_cfa_offset -8
        .irp register, r9, r8, rcx, rdx, rsi, rdi
        pop %\register
        .cfi_adjust_cfa_offset -8
        .endr
        jmp *%rax
        .cfi_endproc

        .set number, 0
        .macro interposed function
        .globl \function
        .type \function, @function
\function:
        .cfi_startproc
        mov xlnuma__chosen + 8 * number(%rip), %rax
        test %rax, %rax
        jz 1f
        jmp *%rax
1:      mov $number, %eax
        jmp first_call
        .cfi_endproc
        .size \function, . - \function
        .set number, number + 1
        .endm

        .hidden xlnuma__choose, xlnuma__chosen
#define INTERPOSED(function, library) interposed function
#include "preload/functions.h"

        .section .note.GNU-stack, "", @progbits
