// sigsuspend.c - loaded before a program that valgrind runs. Swift's main thread waits in sigsuspend
// with a signal mask in memory that is never written; valgrind before 3.20 writes to it and fails.
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

int sigsuspend(const sigset_t *mask) {
    sigset_t own = *mask;
    return (int)syscall(SYS_rt_sigsuspend, &own, _NSIG / 8);
}
