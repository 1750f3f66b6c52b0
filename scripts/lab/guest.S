/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The smallest guest: one ELF that builds as a PV guest, as a PVH guest and as an
 * HVM guest's firmware, does what its command line says and then blocks for ever:
 *
 *   reboot      asks for a reboot five seconds after each start
 *   fragment2m  PV: gives its memory back but for one page in each 2 MiB of the
 *   fragment1g  host's memory (1 GiB), so that no such extent becomes free. It
 *               keeps its first 32 MiB, where its tables are.
 *   spin        PV: keeps its CPU busy, so that Xen does not scrub there
 *   touch MIB   PVH: writes into every page between 2 MiB and MIB (below 3 GiB),
 *               so that Xen has to populate them
 *
 * An HVM guest gets no command line: it reboots if QEMU gave it a debug console.
 * It has no drivers: PV and PVH cannot be suspended, talked to or shut down, only
 * destroyed.
 */

        .set    __HYPERVISOR_memory_op, 12
        .set    __HYPERVISOR_update_va_mapping, 14
        .set    __HYPERVISOR_sched_op, 29
        .set    XENMEM_decrease_reservation, 1
        .set    XENMEM_add_to_physmap, 7
        .set    SCHEDOP_block, 1
        .set    SCHEDOP_shutdown, 2
        .set    SCHEDOP_poll, 3
        .set    SHUTDOWN_reboot, 1
        .set    DOMID_SELF, 0x7ff0
        .set    REBOOT, 0x6f626572              /* "rebo" */
        .set    FRAGMENT, 0x67617266            /* "frag" */
        .set    SPIN, 0x6e697073                /* "spin" */
        .set    TOUCH, 0x63756f74               /* "touc" */
        .set    FRAGMENT_SIZE, 8                /* where its "2" or "1" is */
        .set    TOUCH_MIB, 6
        .set    DEBUG_PORT, 0x402
        .set    DEBUG_PORT_THERE, 0xe9

/* Offsets in Xen's public structures. */
        .set    START_INFO_NR_PAGES, 32
        .set    START_INFO_SHARED_INFO, 40
        .set    START_INFO_MFN_LIST, 104
        .set    START_INFO_CMD_LINE, 128
        .set    PVH_CMD_LINE_PADDR, 24
        .set    SHARED_INFO_SYSTEM_TIME, 48  /* vcpu_info[0].time.system_time */

        .macro note type:req, desc:vararg
        .balign 4
        .long 4, 3f - 2f, \type
        .asciz "Xen"
2:      \desc
3:      .balign 4
        .endm

        .section .note.Xen, "", @note
        note 6, .asciz "lab"                    /* GUEST_OS */
        note 5, .asciz "xen-3.0"                /* XEN_VERSION */
        note 8, .asciz "generic"                /* LOADER */
        note 9, .asciz "yes"                    /* PAE_MODE */
        note 3, .quad 0                         /* VIRT_BASE */
        note 1, .quad pv_start                  /* ENTRY */
        note 18, .long pvh_start                /* PHYS32_ENTRY */

        .text
        .code64
        .globl  pv_start
pv_start:                                       /* rsi: start_info */
        lea     stack_end(%rip), %rsp
        cmpl    $REBOOT, START_INFO_CMD_LINE(%rsi)
        je      pv_reboot
        cmpl    $FRAGMENT, START_INFO_CMD_LINE(%rsi)
        je      pv_fragment
        cmpl    $SPIN, START_INFO_CMD_LINE(%rsi)
        je      pv_spin
pv_block:
        mov     $SCHEDOP_block, %edi
        xor     %esi, %esi
        mov     $__HYPERVISOR_sched_op, %eax
        syscall
        jmp     pv_block

pv_reboot:
        lea     shared(%rip), %rdi
        mov     START_INFO_SHARED_INFO(%rsi), %rsi
        or      $7, %rsi
        mov     $2, %edx                        /* UVMF_INVLPG */
        mov     $__HYPERVISOR_update_va_mapping, %eax
        syscall
        mov     shared + SHARED_INFO_SYSTEM_TIME(%rip), %rax
        add     delay(%rip), %rax
        mov     %rax, poll_timeout(%rip)
        mov     $SCHEDOP_poll, %edi
        lea     poll(%rip), %rsi
        mov     $__HYPERVISOR_sched_op, %eax
        syscall
        mov     $SCHEDOP_shutdown, %edi
        lea     reboot(%rip), %rsi
        mov     $__HYPERVISOR_sched_op, %eax
        syscall
        jmp     pv_block

/* An emulator goes on to the next CPU at a pause. */
pv_spin:
        pause
        jmp     pv_spin

/* The frames to give back are gathered at the head of the list itself. */
pv_fragment:
        mov     $0x3ffff, %r8d                  /* frames in 1 GiB, less one */
        cmpb    $'2', START_INFO_CMD_LINE + FRAGMENT_SIZE(%rsi)
        jne     1f
        mov     $0x1ff, %r8d
1:      mov     START_INFO_MFN_LIST(%rsi), %rbx
        mov     $kept_pages, %edx
        xor     %edi, %edi
2:      cmp     START_INFO_NR_PAGES(%rsi), %rdx
        jae     3f
        mov     (%rbx, %rdx, 8), %rax
        inc     %rdx
        test    %r8, %rax
        jz      2b
        mov     %rax, (%rbx, %rdi, 8)
        inc     %rdi
        jmp     2b
3:      mov     %rbx, reservation_list(%rip)
        mov     %rdi, reservation_nr(%rip)
        mov     $XENMEM_decrease_reservation, %edi
        lea     reservation(%rip), %rsi
        mov     $__HYPERVISOR_memory_op, %eax
        syscall
        jmp     pv_block

        .code32
pvh_start:                                      /* ebx: hvm_start_info */
        mov     $stack_end, %esp
        mov     $DEBUG_PORT, %edx               /* no such port in PVH */
        in      %dx, %al
        cmp     $DEBUG_PORT_THERE, %al
        je      pvh_reboot
        mov     PVH_CMD_LINE_PADDR(%ebx), %eax
        test    %eax, %eax
        jz      pvh_block
        cmpl    $REBOOT, (%eax)
        je      pvh_reboot
        cmpl    $TOUCH, (%eax)
        je      pvh_touch
pvh_block:
        sti
        hlt
        jmp     pvh_block

/* The last word of a page: nothing of ours or of Xen's is there. */
pvh_touch:
        lea     TOUCH_MIB(%eax), %esi
        xor     %edx, %edx                      /* MiB */
1:      movzbl  (%esi), %eax
        inc     %esi
        sub     $'0', %eax
        cmp     $9, %eax
        ja      2f
        imul    $10, %edx
        add     %eax, %edx
        jmp     1b
2:      shl     $20, %edx
        mov     $0x200000, %eax
3:      cmp     %edx, %eax
        jae     pvh_block
        movl    $1, 4092(%eax)
        add     $4096, %eax
        jmp     3b

pvh_reboot:
        mov     $0x40000002, %eax               /* the hypercall page */
        xor     %ecx, %ecx
        cpuid
        mov     %ebx, %ecx
        mov     $hypercall, %eax
        xor     %edx, %edx
        wrmsr
        movl    $shared, %eax
        shr     $12, %eax
        mov     %eax, add_shared_gpfn
        mov     $XENMEM_add_to_physmap, %ebx
        mov     $add_shared, %ecx
        call    hypercall + __HYPERVISOR_memory_op * 32
        mov     shared + SHARED_INFO_SYSTEM_TIME, %eax
        mov     shared + SHARED_INFO_SYSTEM_TIME + 4, %edx
        add     delay, %eax
        adc     delay + 4, %edx
        mov     %eax, poll_timeout
        mov     %edx, poll_timeout + 4
        mov     $SCHEDOP_poll, %ebx
        mov     $poll + 8, %ecx                 /* 32 bit: half the size */
        call    hypercall + __HYPERVISOR_sched_op * 32
        mov     $SCHEDOP_shutdown, %ebx
        mov     $reboot, %ecx
        call    hypercall + __HYPERVISOR_sched_op * 32
        jmp     pvh_block

        .data
        .balign 8
delay:  .quad   5000000000                      /* ns */
reboot: .long   SHUTDOWN_reboot
        .set    kept_pages, 8192                /* 32 MiB */
        .balign 8
reservation:                                    /* xen_memory_reservation */
        .set    reservation_list, reservation
        .set    reservation_nr, reservation + 8
        .quad   0, 0
        .long   0, 0                            /* order, flags */
        .short  DOMID_SELF, 0, 0, 0
add_shared:                                     /* xen_add_to_physmap, 32 bit */
        .short  DOMID_SELF, 0
        .long   0, 0                            /* XENMAPSPACE_shared_info */
add_shared_gpfn: .long 0
        .balign 8
poll:   .long   0, 0, 0, 0                      /* ports, nr_ports */
        .set    poll_timeout, poll + 16
        .quad   0

        .bss
        .balign 4096
hypercall: .skip 4096
shared: .skip 4096
stack:  .skip 4096
stack_end:
