#include "os/descriptor_limit.hpp"

#include <sys/resource.h>

#include "os/errno_error.hpp"

namespace holdfast::os {

Result<ResourceLimit> raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return errno_error("read the limit of open files");
    const ResourceLimit former{"nofile", RLIMIT_NOFILE, limit.rlim_cur, limit.rlim_max};
    limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return errno_error("raise the limit of open files");
    return former;
}

}  // namespace holdfast::os
