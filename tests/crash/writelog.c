/* What a process does to the files under one folder, written down in the order in which it happened.
 *
 * Loaded before libc (LD_PRELOAD). `WRITELOG_UNDER` is the folder, `WRITELOG_TO` the log, `WRITELOG_MARKS` a file whose
 * writes are the process's own words (they are logged, and written nowhere). One lock is held over each call and its
 * record, so the log's order is the true one. A way to write that is not modelled is logged as `X` and fails the proof;
 * a replay of the whole log is compared with the real files besides. writelog.py reads the log.
 *
 * SQLite's index of its log (`-shm`) lives in shared memory and is made anew after a restart: it is left out.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS 4096
enum { NOT_OURS, A_FILE, A_FOLDER, THE_MARKS };

struct record {
    char what;
    char unused[7];
    uint64_t file; /* the inode's number */
    int64_t at;
    uint64_t length;
};

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static char kind[FDS];
static uint64_t inode[FDS];
static int log_fd = -1;
static const char *under, *marks;
static size_t under_length;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define TRACKED(fd) ((fd) >= 0 && (fd) < FDS && kind[fd] != NOT_OURS)
#define HELD pthread_mutex_lock(&lock)
#define FREED pthread_mutex_unlock(&lock)

static ssize_t (*real_write)(int, const void *, size_t);

__attribute__((constructor)) static void begin(void) {
    const char *to = getenv("WRITELOG_TO");
    real_write = REAL(write);
    under = getenv("WRITELOG_UNDER");
    marks = getenv("WRITELOG_MARKS");
    if (to == NULL || under == NULL) return;
    under_length = strlen(under);
    log_fd = REAL(open)(to, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

static void put(char what, uint64_t file, int64_t at, const void *data, size_t length) {
    struct record head = {what, {0}, file, at, length};
    struct iovec parts[2] = {{&head, sizeof head}, {(void *)data, length}};
    if (writev(log_fd, parts, length ? 2 : 1) != (ssize_t)(sizeof head + length)) abort();
}

static void unmodelled(const char *how) { put('X', 0, 0, how, strlen(how)); }

static int is_ours(const char *path) {
    size_t length;
    if (log_fd < 0 || path == NULL || strncmp(path, under, under_length) != 0) return 0;
    if (path[under_length] != '/' && path[under_length] != 0) return 0;
    length = strlen(path);
    return length < 4 || strcmp(path + length - 4, "-shm") != 0;
}

static uint64_t inode_of(const char *path) {
    struct stat found;
    return lstat(path, &found) == 0 ? found.st_ino : 0;
}

static void opened(int fd, const char *path, int flags, uint64_t before) {
    struct stat found;
    if (fd >= FDS) abort();
    kind[fd] = NOT_OURS;
    if (marks != NULL && strcmp(path, marks) == 0) { kind[fd] = THE_MARKS; return; }
    if (!is_ours(path) || fstat(fd, &found) != 0) return;
    inode[fd] = found.st_ino;
    kind[fd] = S_ISDIR(found.st_mode) ? A_FOLDER : A_FILE;
    if (kind[fd] == A_FILE && before == 0) put('C', found.st_ino, 0, path, strlen(path));
    else if (flags & O_TRUNC) put('T', found.st_ino, 0, NULL, 0);
}

/* What stands for open, whichever way it was called. */
static int open_at(int folder, const char *path, int flags, mode_t mode) {
    uint64_t before;
    int fd, why;
    if (folder != AT_FDCWD && path != NULL && path[0] != '/' && TRACKED(folder)) unmodelled("openat in a folder");
    HELD;
    before = log_fd >= 0 && is_ours(path) ? inode_of(path) : 0;
    fd = REAL(openat64)(folder, path, flags, mode);
    why = errno;
    if (fd >= 0 && log_fd >= 0) opened(fd, path, flags, before);
    FREED;
    errno = why;
    return fd;
}

#define MODE_OF(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { va_list more; va_start(more, flags); mode = va_arg(more, int); va_end(more); }

int open(const char *path, int flags, ...) { MODE_OF(flags) return open_at(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE_OF(flags) return open_at(AT_FDCWD, path, flags, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE_OF(flags) return open_at(folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE_OF(flags) return open_at(folder, path, flags, mode); }
int __open_2(const char *path, int flags) { return open_at(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return open_at(AT_FDCWD, path, flags, 0); }

int close(int fd) {
    int done;
    HELD;
    if (TRACKED(fd)) kind[fd] = NOT_OURS;
    done = REAL(close)(fd);
    FREED;
    return done;
}

static ssize_t wrote(int fd, const void *data, ssize_t done, int64_t at) {
    int why = errno;
    if (done > 0) put('W', inode[fd], at, data, done);
    errno = why;
    return done;
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t at) {
    ssize_t done;
    if (!TRACKED(fd)) return REAL(pwrite64)(fd, data, length, at);
    HELD;
    done = wrote(fd, data, REAL(pwrite64)(fd, data, length, at), at);
    FREED;
    return done;
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t at) { return pwrite64(fd, data, length, at); }

ssize_t write(int fd, const void *data, size_t length) {
    struct stat found;
    int64_t at;
    ssize_t done;
    if (!TRACKED(fd)) return real_write(fd, data, length);
    HELD;
    if (kind[fd] == THE_MARKS) {
        put('M', 0, 0, data, length);
        done = length;
    } else {
        at = lseek(fd, 0, SEEK_CUR);
        if ((fcntl(fd, F_GETFL) & O_APPEND) && fstat(fd, &found) == 0) at = found.st_size;
        done = wrote(fd, data, real_write(fd, data, length), at);
    }
    FREED;
    return done;
}

int ftruncate64(int fd, off64_t size) {
    int done;
    if (!TRACKED(fd)) return REAL(ftruncate64)(fd, size);
    HELD;
    done = REAL(ftruncate64)(fd, size);
    if (done == 0) put('T', inode[fd], size, NULL, 0);
    FREED;
    return done;
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

static int synced(int fd, int (*real)(int)) {
    int done;
    if (!TRACKED(fd)) return real(fd);
    HELD; /* nothing is written meanwhile: what stands before this record is what the call was answered for */
    done = real(fd);
    if (done == 0) put(kind[fd] == A_FOLDER ? 'D' : 'S', inode[fd], 0, NULL, 0);
    FREED;
    return done;
}

int fsync(int fd) { return synced(fd, REAL(fsync)); }
int fdatasync(int fd) { return synced(fd, REAL(fdatasync)); }

int unlink(const char *path) {
    uint64_t file;
    int done;
    if (!is_ours(path)) return REAL(unlink)(path);
    HELD;
    file = inode_of(path);
    done = REAL(unlink)(path);
    if (done == 0) put('U', file, 0, path, strlen(path));
    FREED;
    return done;
}

int unlinkat(int folder, const char *path, int flags) {
    if (folder == AT_FDCWD && flags == 0) return unlink(path);
    if (TRACKED(folder) || is_ours(path)) unmodelled("unlinkat in a folder");
    return REAL(unlinkat)(folder, path, flags);
}

int rename(const char *from, const char *to) {
    char both[8192];
    size_t first = strlen(from) + 1, second = strlen(to);
    uint64_t file;
    int done;
    if (!is_ours(from) && !is_ours(to)) return REAL(rename)(from, to);
    if (first + second > sizeof both) abort();
    memcpy(both, from, first);
    memcpy(both + first, to, second);
    HELD;
    file = inode_of(from);
    done = REAL(rename)(from, to);
    if (done == 0) put('R', file, 0, both, first + second);
    FREED;
    return done;
}

int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    if (from_folder == AT_FDCWD && to_folder == AT_FDCWD) return rename(from, to);
    unmodelled("renameat in a folder");
    return REAL(renameat)(from_folder, from, to_folder, to);
}

int mkdir(const char *path, mode_t mode) {
    int done = REAL(mkdir)(path, mode);
    if (done == 0 && is_ours(path)) unmodelled("mkdir");
    return done;
}

int link(const char *from, const char *to) {
    if (is_ours(from) || is_ours(to)) unmodelled("link");
    return REAL(link)(from, to);
}

int truncate64(const char *path, off64_t size) {
    if (is_ours(path)) unmodelled("truncate");
    return REAL(truncate64)(path, size);
}

int truncate(const char *path, off_t size) { return truncate64(path, size); }

ssize_t writev(int fd, const struct iovec *parts, int count) {
    if (TRACKED(fd)) unmodelled("writev");
    return REAL(writev)(fd, parts, count);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) {
    if (TRACKED(fd)) unmodelled("pwritev");
    return REAL(pwritev64)(fd, parts, count, at);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) { return pwritev64(fd, parts, count, at); }

int fallocate64(int fd, int mode, off64_t at, off64_t length) {
    if (TRACKED(fd)) unmodelled("fallocate");
    return REAL(fallocate64)(fd, mode, at, length);
}

int fallocate(int fd, int mode, off_t at, off_t length) { return fallocate64(fd, mode, at, length); }

int posix_fallocate64(int fd, off64_t at, off64_t length) {
    if (TRACKED(fd)) unmodelled("posix_fallocate");
    return REAL(posix_fallocate64)(fd, at, length);
}

int posix_fallocate(int fd, off_t at, off_t length) { return posix_fallocate64(fd, at, length); }

void *mmap64(void *wanted, size_t length, int protection, int flags, int fd, off64_t at) {
    if (TRACKED(fd) && (protection & PROT_WRITE) && (flags & MAP_SHARED)) unmodelled("a shared mapping");
    return REAL(mmap64)(wanted, length, protection, flags, fd, at);
}

void *mmap(void *wanted, size_t length, int protection, int flags, int fd, off_t at) {
    return mmap64(wanted, length, protection, flags, fd, at);
}
