/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The smallest guest: one ELF that builds as a PV guest, as a PVH guest and as an
 * HVM guest's firmware, does what its command line says and then blocks for ever:
 *
 *   reboot      asks for a reboot five seconds after each start
 *   reset       PVH: asks for a soft reset five seconds after its start
 *   fragment2m  PV: gives its memory back but for one page in each 2 MiB of the
 *   fragment1g  host's memory (1 GiB), so that no such extent becomes free. It
 *               keeps its first 32 MiB, where its tables are.
 *   spin        keeps all its vCPUs busy, so that Xen does not scrub there
 *   nap         PV: keeps all its vCPUs busy for 57 ms of each 60, and lets them
 *               sleep for the rest
 *   touch MIB   PVH: writes into every page between 2 MiB and MIB (below 3 GiB),
 *               so that Xen has to populate them
 *
 * An HVM guest gets no command line: it reboots if QEMU gave it a debug console,
 * and asks once for a soft reset if that is at the next port.
 * It has no drivers: PV and PVH cannot be suspended, talked to or shut down, only
 * destroyed.
 */

        .set    __HYPERVISOR_memory_op, 12
        .set    __HYPERVISOR_update_va_mapping, 14
        .set    __HYPERVISOR_vcpu_op, 24
        .set    __HYPERVISOR_sched_op, 29
        .set    XENMEM_decrease_reservation, 1
        .set    XENMEM_add_to_physmap, 7
        .set    SCHEDOP_block, 1
        .set    SCHEDOP_shutdown, 2
        .set    SCHEDOP_poll, 3
        .set    SHUTDOWN_reboot, 1
        .set    SHUTDOWN_soft_reset, 5
        .set    VCPUOP_initialise, 0
        .set    VCPUOP_up, 1
        .set    FLAT_KERNEL_CS, 0xe033
        .set    FLAT_KERNEL_SS, 0xe02b
        .set    VGCF_in_kernel, 4
        .set    DOMID_SELF, 0x7ff0
        .set    REBOOT, 0x6f626572              /* "rebo" */
        .set    RESET, 0x65736572               /* "rese" */
        .set    FRAGMENT, 0x67617266            /* "frag" */
        .set    SPIN, 0x6e697073                /* "spin" */
        .set    TOUCH, 0x63756f74               /* "touc" */
        .set    NAP, 0x0070616e                 /* "nap" */
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
        .set    TIME_VERSION, 32             /* in a vcpu_info, of 64 bytes */
        .set    TIME_TSC, 40
        .set    TIME_SYSTEM, 48
        .set    TIME_MUL, 56
        .set    TIME_SHIFT, 60
        .set    CONTEXT_FLAGS, 512           /* in a vcpu_guest_context */
        .set    CONTEXT_R12, 544
        .set    CONTEXT_RIP, 648
        .set    CONTEXT_CS, 656
        .set    CONTEXT_SS, 680
        .set    CONTEXT_KERNEL_SS, 4968
        .set    CONTEXT_CR3, 5008
        .set    CONTEXT_SIZE, 5168

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
        cmpl    $NAP, START_INFO_CMD_LINE(%rsi)
        je      pv_nap
pv_block:
        mov     $SCHEDOP_block, %edi
        xor     %esi, %esi
        mov     $__HYPERVISOR_sched_op, %eax
        syscall
        jmp     pv_block

        .macro  map_shared_info                 /* rsi: start_info */
        lea     shared(%rip), %rdi
        mov     START_INFO_SHARED_INFO(%rsi), %rsi
        or      $7, %rsi
        mov     $2, %edx                        /* UVMF_INVLPG */
        mov     $__HYPERVISOR_update_va_mapping, %eax
        syscall
        .endm

pv_reboot:
        map_shared_info
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

pv_spin:
        lea     pv_spin_on(%rip), %rbx
        jmp     pv_start_all

pv_nap:
        map_shared_info
        lea     pv_nap_on(%rip), %rbx

/* All vCPUs go to rbx, each with its number in r12; none needs a stack. */
pv_start_all:
        lea     context(%rip), %rdx
        movq    $VGCF_in_kernel, CONTEXT_FLAGS(%rdx)
        movw    $FLAT_KERNEL_CS, CONTEXT_CS(%rdx)
        movw    $FLAT_KERNEL_SS, CONTEXT_SS(%rdx)
        movq    $FLAT_KERNEL_SS, CONTEXT_KERNEL_SS(%rdx)
        mov     %rbx, CONTEXT_RIP(%rdx)
        mov     %cr3, %rax
        mov     %rax, CONTEXT_CR3(%rdx)
        xor     %r12d, %r12d
1:      inc     %r12d
        lea     context(%rip), %rdx
        mov     %r12, CONTEXT_R12(%rdx)
        mov     $VCPUOP_initialise, %edi
        mov     %r12d, %esi
        mov     $__HYPERVISOR_vcpu_op, %eax
        syscall
        test    %rax, %rax
        jnz     2f                              /* there is no such vCPU */
        mov     $VCPUOP_up, %edi
        mov     %r12d, %esi
        xor     %edx, %edx
        mov     $__HYPERVISOR_vcpu_op, %eax
        syscall
        jmp     1b
2:      xor     %r12d, %r12d
        jmp     *%rbx

/* An emulator goes on to the next CPU at a pause. */
pv_spin_on:
        pause
        jmp     pv_spin_on

/* The time in ns to rax, by the vcpu_info at r13. */
        .macro  now
7:      mov     TIME_VERSION(%r13), %r8d
        rdtsc
        shl     $32, %rdx
        or      %rdx, %rax
        sub     TIME_TSC(%r13), %rax
        movsbl  TIME_SHIFT(%r13), %ecx
        test    %ecx, %ecx
        js      8f
        shl     %cl, %rax
        jmp     9f
8:      neg     %ecx
        shr     %cl, %rax
9:      mov     TIME_MUL(%r13), %ecx
        mul     %rcx
        shrd    $32, %rdx, %rax
        add     TIME_SYSTEM(%r13), %rax
        test    $1, %r8d
        jnz     7b
        cmp     TIME_VERSION(%r13), %r8d
        jne     7b
        .endm

pv_nap_on:
        mov     %r12, %r13
        shl     $6, %r13
        lea     shared(%rip), %rax
        add     %rax, %r13
        mov     %r12, %r14                      /* its sched_poll */
        shl     $5, %r14
        lea     polls(%rip), %rax
        add     %rax, %r14
1:      now
        lea     57000000(%rax), %r15
2:      mov     $1000, %ecx
3:      dec     %ecx
        jnz     3b
        pause
        now
        cmp     %r15, %rax
        jb      2b
        add     $3000000, %rax
        mov     %rax, poll_timeout - poll(%r14)
        mov     $SCHEDOP_poll, %edi
        mov     %r14, %rsi
        mov     $__HYPERVISOR_sched_op, %eax
        syscall
        jmp     1b

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
        inc     %edx
        in      %dx, %al
        cmp     $DEBUG_PORT_THERE, %al
        je      pvh_soft_reset
        mov     PVH_CMD_LINE_PADDR(%ebx), %eax
        test    %eax, %eax
        jz      pvh_block
        cmpl    $REBOOT, (%eax)
        je      pvh_reboot
        cmpl    $RESET, (%eax)
        je      pvh_soft_reset
        cmpl    $TOUCH, (%eax)
        je      pvh_touch
        cmpl    $SPIN, (%eax)
        je      pvh_spin
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

pvh_spin:
        call    pvh_map_hypercalls
        xor     %ebp, %ebp
1:      inc     %ebp
        mov     $VCPUOP_initialise, %ebx
        mov     %ebp, %ecx
        mov     $hvm_context, %edx
        call    hypercall + __HYPERVISOR_vcpu_op * 32
        test    %eax, %eax
        jnz     pvh_spin_on                     /* there is no such vCPU */
        mov     $VCPUOP_up, %ebx
        mov     %ebp, %ecx
        xor     %edx, %edx
        call    hypercall + __HYPERVISOR_vcpu_op * 32
        jmp     1b
pvh_spin_on:
        pause
        jmp     pvh_spin_on

pvh_map_hypercalls:
        mov     $0x40000002, %eax
        xor     %ecx, %ecx
        cpuid
        mov     %ebx, %ecx
        mov     $hypercall, %eax
        xor     %edx, %edx
        wrmsr
        ret

pvh_soft_reset:                                 /* from which it returns */
        movl    $SHUTDOWN_soft_reset, reboot
pvh_reboot:
        call    pvh_map_hypercalls
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
reboot: .long   SHUTDOWN_reboot                 /* sched_shutdown's reason */
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

        .balign 8
hvm_context:                                    /* vcpu_hvm_context, 32 bit */
        .long   0, 0                            /* mode */
        .long   0, 0, 0, 0, 0, 0, 0, 0          /* eax to edi */
        .long   pvh_spin_on, 2, 0x11, 0, 0, 0   /* eip, eflags, cr0, cr3, cr4 */
        .quad   0                               /* efer */
        .long   0, 0, 0, 0, 0                   /* bases: cs, ds, ss, es, tr */
        .long   -1, -1, -1, -1, 0x67            /* limits */
        .short  0xc9b, 0xc93, 0xc93, 0xc93, 0x8b, 0, 0, 0

        .bss
        .balign 4096
hypercall: .skip 4096
shared: .skip 4096
stack:  .skip 4096
stack_end:
context: .skip CONTEXT_SIZE
        .balign 8
polls:  .skip 32 * 32
