/* A disk that can lose power and fail, and a calendar that can jump, for a daemon that knows of neither.
 *
 * Loaded before libc (LD_PRELOAD), this library stands between a program and the calls by which Rust's std changes
 * files. It looks at files below one folder only, and does three things there:
 *
 *   record  writes every change and every sync that succeeded to a journal, in the order in which they happened. replay.rs
 *           makes of it the folder as it may look after a power cut;
 *   count   and fail: the k-th call of a kind, once or from then on, gives an error or writes less than it was asked to;
 *   clock   adds a number of nanoseconds to what the calendar shows. The monotonic clocks are left alone.
 *
 * Environment:  DISK_SHIM_ROOT     the folder, as realpath(3) spells it
 *               DISK_SHIM_CONTROL  a file of 4096 bytes, laid out as `struct control`; read and written while the program runs
 *               DISK_SHIM_JOURNAL  the journal, outside the folder; without it nothing is recorded
 *
 * One lock is held from before a call until its record is written, so the journal's order is the order of the changes. A
 * record is one write to a file opened for appending: a program that is killed leaves at most its last record cut.
 * What would change a file unseen (shared mappings, copies inside the kernel) ends the program with a message: the
 * product does none of it, and should it begin to, this file must learn it. Calls made past libc are not seen.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* What can be made to fail; shim.rs has the same numbers. */
enum kind { NONE, OPEN, WRITE, SYNC, TRUNCATE, RENAME, UNLINK, MKDIR, LINK, RANGE, KINDS };

/* Values of `how` that are no errno. */
enum { SHORT = 1000, SHORT_THEN_FULL = 1001 };

struct control {
    int64_t clock_shift;     /* nanoseconds */
    uint64_t kind;           /* of the calls that fail; 0: none does */
    uint64_t at;             /* the first of them, as `counts` numbers them, from 1 */
    uint64_t how;            /* an errno, or SHORT, or SHORT_THEN_FULL */
    uint64_t for_ever;       /* 0: only that one */
    uint64_t fired;          /* how many have failed */
    uint64_t counts[KINDS];  /* calls so far */
};

/* What a record is about; replay.rs reads them. */
enum op { MADE_FILE = 'C', MADE_FOLDER = 'D', WROTE = 'W', CUT = 'T', SYNCED = 'S', RENAMED = 'R', REMOVED = 'U', LINKED = 'L' };

struct record {  /* little-endian; followed by `name` bytes of a path below the root and `data` bytes */
    uint64_t op, inode, offset, name, data;
};

#define DESCRIPTORS 65536
static _Atomic unsigned char watched[DESCRIPTORS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static volatile struct control *control;
static char root[PATH_MAX];
static size_t root_length;
static int journal = -1;

static void die(const char *what) {
    fprintf(stderr, "the disk shim cannot follow: %s\n", what);
    abort();
}

__attribute__((constructor)) static void start(void) {
    const char *folder = getenv("DISK_SHIM_ROOT"), *file = getenv("DISK_SHIM_CONTROL"), *to = getenv("DISK_SHIM_JOURNAL");
    if (!folder || !file) return;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CLOEXEC, 0);
    void *page = (void *)syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd < 0 || page == MAP_FAILED) die("the control file");
    syscall(SYS_close, fd);
    if (to) {
        journal = (int)syscall(SYS_openat, AT_FDCWD, to, O_WRONLY | O_APPEND | O_CLOEXEC, 0);
        if (journal < 0) die("the journal");
    }
    root_length = strlen(folder);
    memcpy(root, folder, root_length + 1);
    control = page;
}

/* ---- which files ---- */

/* libc closes some descriptors without telling us (closedir), and the next one of that number may be a socket. */
static int is_watched(int fd) {
    struct stat about;
    if (!control || fd < 0 || fd >= DESCRIPTORS || !watched[fd]) return 0;
    return !fstat(fd, &about) && (S_ISREG(about.st_mode) || S_ISDIR(about.st_mode));
}

static void watch(int fd, int yes) {
    if (fd >= 0 && fd < DESCRIPTORS) watched[fd] = (unsigned char)yes;
    else if (yes) die("a descriptor above the table");
}

/* The path below the root, in `out`, or NULL when it is elsewhere. The last part need not exist. */
static const char *below(int folder, const char *path, char out[PATH_MAX]) {
    if (!control) return NULL;
    char joined[PATH_MAX], parent[PATH_MAX], link[64];
    if (path[0] == '/') {
        snprintf(joined, sizeof joined, "%s", path);
    } else {
        char base[PATH_MAX];
        ssize_t length;
        if (folder == AT_FDCWD) {
            if (!getcwd(base, sizeof base)) return NULL;
        } else {
            snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
            if ((length = readlink(link, base, sizeof base - 1)) < 0) return NULL;
            base[length] = 0;
        }
        if ((size_t)snprintf(joined, sizeof joined, "%s/%s", base, path) >= sizeof joined) return NULL;
    }
    size_t end = strlen(joined);
    while (end > 1 && joined[end - 1] == '/') joined[--end] = 0;
    char *last = strrchr(joined, '/');
    *last = 0;
    if (!realpath(last == joined ? "/" : joined, parent)) return NULL;
    if ((size_t)snprintf(out, PATH_MAX, "%s/%s", strcmp(parent, "/") ? parent : "", last + 1) >= PATH_MAX) return NULL;
    if (strncmp(out, root, root_length) || (out[root_length] != '/' && out[root_length])) return NULL;
    return out[root_length] ? out + root_length + 1 : out + root_length;
}

static uint64_t inode_of(int fd) {
    struct stat about;
    if (fstat(fd, &about)) die("fstat");
    return about.st_ino;
}

/* ---- the journal ---- */

static void record(enum op op, uint64_t inode, uint64_t offset, const char *name, const void *data, size_t length) {
    if (journal < 0) return;
    struct record head = {op, inode, offset, name ? strlen(name) : 0, length};
    struct iovec parts[3] = {{&head, sizeof head}, {(void *)name, head.name}, {(void *)data, length}};
    ssize_t whole = (ssize_t)(sizeof head + head.name + length);
    if (syscall(SYS_writev, journal, parts, 3) != whole) die("the journal does not take a record");
}

/* ---- failing ---- */

/* Counts a call. Returns 0 when it is to go on, else what becomes of it; `how` may be SHORT. */
static uint64_t verdict(enum kind kind) {
    uint64_t nth = ++control->counts[kind];
    if (control->kind != (uint64_t)kind || nth < control->at || (nth > control->at && !control->for_ever)) return 0;
    control->fired++;
    if (control->how != SHORT_THEN_FULL) return control->how;
    control->for_ever = 1;
    return nth == control->at ? SHORT : ENOSPC;
}

static int fails(enum kind kind) {
    uint64_t how = verdict(kind);
    if (!how || how == SHORT) return 0;
    errno = (int)how;
    return 1;
}

/* ---- opening and closing ---- */

static int opened(int folder, const char *path, int flags, mode_t mode) {
    char full[PATH_MAX];
    const char *name = below(folder, path, full);
    if (!name) {
        int other = (int)syscall(SYS_openat, folder, path, flags, mode);
        watch(other, 0);
        return other;
    }
    pthread_mutex_lock(&lock);
    int fd = -1;
    if (!fails(OPEN)) {
        struct stat before;
        int there = !lstat(full, &before);
        if (there && S_ISLNK(before.st_mode)) die("a symbolic link below the root");
        fd = (int)syscall(SYS_openat, folder, path, flags, mode);
        if (fd >= 0) {
            watch(fd, 1);
            if ((flags & O_CREAT) && !there) record(MADE_FILE, inode_of(fd), 0, name, NULL, 0);
            if ((flags & O_TRUNC) && there && before.st_size) record(CUT, inode_of(fd), 0, NULL, NULL, 0);
        }
    }
    int why = errno;
    pthread_mutex_unlock(&lock);
    errno = why;
    return fd;
}

#define MODE_OF(flags, mode)                                                     \
    mode_t mode = 0;                                                             \
    if ((flags) & (O_CREAT | __O_TMPFILE)) {                                     \
        va_list rest;                                                            \
        va_start(rest, flags);                                                   \
        mode = va_arg(rest, mode_t);                                             \
        va_end(rest);                                                            \
    }

int open(const char *path, int flags, ...) { MODE_OF(flags, mode) return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE_OF(flags, mode) return opened(AT_FDCWD, path, flags, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE_OF(flags, mode) return opened(folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE_OF(flags, mode) return opened(folder, path, flags, mode); }

int close(int fd) {
    watch(fd, 0);
    return (int)syscall(SYS_close, fd);
}

static int copied(int from, int to) {
    if (to >= 0) watch(to, is_watched(from));
    return to;
}

int dup(int fd) { return copied(fd, (int)syscall(SYS_dup, fd)); }
int dup2(int fd, int to) { return fd == to ? to : copied(fd, (int)syscall(SYS_dup3, fd, to, 0)); }
int dup3(int fd, int to, int flags) { return copied(fd, (int)syscall(SYS_dup3, fd, to, flags)); }

static int controlled(int fd, int command, long argument) {
    int answer = (int)syscall(SYS_fcntl, fd, command, argument);
    return command == F_DUPFD || command == F_DUPFD_CLOEXEC ? copied(fd, answer) : answer;
}

#define ARGUMENT_OF(last, argument)    \
    va_list rest;                      \
    va_start(rest, last);              \
    long argument = va_arg(rest, long); \
    va_end(rest);

int fcntl(int fd, int command, ...) { ARGUMENT_OF(command, argument) return controlled(fd, command, argument); }
int fcntl64(int fd, int command, ...) { ARGUMENT_OF(command, argument) return controlled(fd, command, argument); }

/* ---- changing files ---- */

/* Writes at `offset`, or at the descriptor's own place when that is -1. */
static ssize_t wrote(int fd, const void *data, size_t length, off_t offset) {
    pthread_mutex_lock(&lock);
    ssize_t done = -1;
    uint64_t how = verdict(WRITE);
    if (how == SHORT && length > 1) length /= 2;
    if (how && how != SHORT) {
        errno = (int)how;
    } else {
        off_t at = offset;
        if (at < 0) {
            int appends = (int)syscall(SYS_fcntl, fd, F_GETFL, 0) & O_APPEND;
            at = (off_t)syscall(SYS_lseek, fd, 0, appends ? SEEK_END : SEEK_CUR);
            done = syscall(SYS_write, fd, data, length);
        } else {
            done = syscall(SYS_pwrite64, fd, data, length, at);
        }
        if (done > 0) record(WROTE, inode_of(fd), (uint64_t)at, NULL, data, (size_t)done);
    }
    int why = errno;
    pthread_mutex_unlock(&lock);
    errno = why;
    return done;
}

ssize_t write(int fd, const void *data, size_t length) {
    return is_watched(fd) ? wrote(fd, data, length, -1) : syscall(SYS_write, fd, data, length);
}
ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) {
    return is_watched(fd) ? wrote(fd, data, length, offset) : syscall(SYS_pwrite64, fd, data, length, offset);
}
ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) { return pwrite(fd, data, length, offset); }

/* Of several parts the first that is not empty is written, which is a short write and allowed. */
ssize_t writev(int fd, const struct iovec *parts, int count) {
    if (!is_watched(fd)) return syscall(SYS_writev, fd, parts, count);
    while (count > 1 && !parts->iov_len) parts++, count--;
    return wrote(fd, parts->iov_base, parts->iov_len, -1);
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
    if (!is_watched(fd)) return syscall(SYS_pwritev, fd, parts, count, offset, 0);
    while (count > 1 && !parts->iov_len) parts++, count--;
    return wrote(fd, parts->iov_base, parts->iov_len, offset);
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) { return pwritev(fd, parts, count, offset); }

/* A call that changes `fd`: made and recorded unless it is to fail. */
#define CHANGE(kind, call, recorded)          \
    pthread_mutex_lock(&lock);                \
    int done = -1;                            \
    if (!fails(kind)) {                       \
        done = (int)(call);                   \
        if (!done) { recorded; }              \
    }                                         \
    int why = errno;                          \
    pthread_mutex_unlock(&lock);              \
    errno = why;                              \
    return done;

int ftruncate(int fd, off_t length) {
    if (!is_watched(fd)) return (int)syscall(SYS_ftruncate, fd, length);
    CHANGE(TRUNCATE, syscall(SYS_ftruncate, fd, length), record(CUT, inode_of(fd), (uint64_t)length, NULL, NULL, 0))
}
int ftruncate64(int fd, off64_t length) { return ftruncate(fd, length); }

int fsync(int fd) {
    if (!is_watched(fd)) return (int)syscall(SYS_fsync, fd);
    CHANGE(SYNC, syscall(SYS_fsync, fd), record(SYNCED, inode_of(fd), 0, NULL, NULL, 0))
}
int fdatasync(int fd) {
    if (!is_watched(fd)) return (int)syscall(SYS_fdatasync, fd);
    CHANGE(SYNC, syscall(SYS_fdatasync, fd), record(SYNCED, inode_of(fd), 0, NULL, NULL, 0))
}
/* Promises nothing about a power cut (sync_file_range(2), Warning), so it is not recorded. */
int sync_file_range(int fd, off64_t offset, off64_t length, unsigned flags) {
    if (!is_watched(fd)) return (int)syscall(SYS_sync_file_range, fd, offset, length, flags);
    CHANGE(RANGE, syscall(SYS_sync_file_range, fd, offset, length, flags), (void)0)
}

/* ---- changing names ---- */

int renameat2(int folder, const char *path, int to_folder, const char *to, unsigned flags) {
    char full[PATH_MAX], full_to[PATH_MAX];
    const char *name = below(folder, path, full), *name_to = below(to_folder, to, full_to);
    if (!name && !name_to) return (int)syscall(SYS_renameat2, folder, path, to_folder, to, flags);
    if (!name || !name_to || flags) die("a rename into or out of the root, or one that swaps");
    CHANGE(RENAME, syscall(SYS_renameat2, folder, path, to_folder, to, 0), record(RENAMED, 0, 0, name, name_to, strlen(name_to)))
}
int renameat(int folder, const char *path, int to_folder, const char *to) { return renameat2(folder, path, to_folder, to, 0); }
int rename(const char *path, const char *to) { return renameat2(AT_FDCWD, path, AT_FDCWD, to, 0); }

int unlinkat(int folder, const char *path, int flags) {
    char full[PATH_MAX];
    const char *name = below(folder, path, full);
    if (!name) return (int)syscall(SYS_unlinkat, folder, path, flags);
    CHANGE(UNLINK, syscall(SYS_unlinkat, folder, path, flags), record(REMOVED, 0, 0, name, NULL, 0))
}
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

static uint64_t inode_at(const char *path) {
    struct stat about;
    if (lstat(path, &about)) die("lstat");
    return about.st_ino;
}

int mkdirat(int folder, const char *path, mode_t mode) {
    char full[PATH_MAX];
    const char *name = below(folder, path, full);
    if (!name) return (int)syscall(SYS_mkdirat, folder, path, mode);
    CHANGE(MKDIR, syscall(SYS_mkdirat, folder, path, mode), record(MADE_FOLDER, inode_at(full), 0, name, NULL, 0))
}
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

int linkat(int folder, const char *path, int to_folder, const char *to, int flags) {
    char full[PATH_MAX], full_to[PATH_MAX];
    const char *name = below(folder, path, full), *name_to = below(to_folder, to, full_to);
    if (!name && !name_to) return (int)syscall(SYS_linkat, folder, path, to_folder, to, flags);
    if (!name || !name_to) die("a link into or out of the root");
    CHANGE(LINK, syscall(SYS_linkat, folder, path, to_folder, to, flags), record(LINKED, inode_at(full), 0, name_to, NULL, 0))
}
int link(const char *path, const char *to) { return linkat(AT_FDCWD, path, AT_FDCWD, to, 0); }

/* ---- what would change a file unseen ---- */

void *mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset) {
    if (is_watched(fd) && (protection & PROT_WRITE) && (flags & MAP_SHARED)) die("a mapping for writing");
    return (void *)syscall(SYS_mmap, at, length, protection, flags, fd, offset);
}
void *mmap64(void *at, size_t length, int protection, int flags, int fd, off64_t offset) {
    return mmap(at, length, protection, flags, fd, offset);
}
ssize_t copy_file_range(int from, off64_t *at, int to, off64_t *to_at, size_t length, unsigned flags) {
    if (is_watched(to)) die("copy_file_range");
    return syscall(SYS_copy_file_range, from, at, to, to_at, length, flags);
}
ssize_t sendfile64(int to, int from, off64_t *at, size_t length) {
    if (is_watched(to)) die("sendfile");
    return syscall(SYS_sendfile, to, from, at, length);
}
ssize_t sendfile(int to, int from, off_t *at, size_t length) { return sendfile64(to, from, at, length); }
int truncate(const char *path, off_t length) {
    char full[PATH_MAX];
    if (below(AT_FDCWD, path, full)) die("truncate");
    return (int)syscall(SYS_truncate, path, length);
}
int fallocate(int fd, int mode, off_t offset, off_t length) {
    if (is_watched(fd) && !(mode & FALLOC_FL_KEEP_SIZE)) die("fallocate that changes what is read");
    return (int)syscall(SYS_fallocate, fd, mode, offset, length);
}
int fallocate64(int fd, int mode, off64_t offset, off64_t length) { return fallocate(fd, mode, offset, length); }

/* ---- the calendar ---- */

static void shift(struct timespec *now) {
    const int64_t second = 1000000000;
    int64_t by = control->clock_shift, nanos = now->tv_nsec + by % second;
    now->tv_sec += by / second + (nanos >= second) - (nanos < 0);
    now->tv_nsec = nanos + (nanos < 0 ? second : 0) - (nanos >= second ? second : 0);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int done = (int)syscall(SYS_clock_gettime, clock, now);
    if (!done && control && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) shift(now);
    return done;
}
int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    (void)zone;
    struct timespec precise;
    if (clock_gettime(CLOCK_REALTIME, &precise)) return -1;
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}
time_t time(time_t *out) {
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    if (out) *out = precise.tv_sec;
    return precise.tv_sec;
}
