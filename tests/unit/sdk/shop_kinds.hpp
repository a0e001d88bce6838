#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "library_kinds.hpp"
#include "shop_fixture.hpp"
#include "stream_kinds.hpp"
#include "thread_kinds.hpp"

namespace holdfast::testing {

using EachAdapter =
    ::testing::Types<On<EpollShop, AF_INET>, On<UvShop, AF_INET>, On<BlockingShop, AF_INET>, On<AsioShop, AF_INET>,
                     On<HttplibShop, AF_INET>, On<LibeventShop, AF_INET>, On<MicrohttpdShop, AF_INET>>;

using EachEventLoop = ::testing::Types<On<EpollShop, AF_INET>, On<EpollShop, AF_UNIX>, On<UvShop, AF_INET>>;

using EachAdapterAndFamily =
    ::testing::Types<On<EpollShop, AF_INET>, On<EpollShop, AF_UNIX>, On<UvShop, AF_INET>, On<UvShop, AF_UNIX>,
                     On<BlockingShop, AF_INET>, On<BlockingShop, AF_UNIX>, On<AsioShop, AF_INET>, On<AsioShop, AF_UNIX>,
                     On<HttplibShop, AF_INET>, On<HttplibShop, AF_UNIX>, On<LibeventShop, AF_INET>,
                     On<LibeventShop, AF_UNIX>, On<MicrohttpdShop, AF_INET>, On<MicrohttpdShop, AF_UNIX>>;

// Those whose bytes the SDK transfers.
using EachTransfer =
    ::testing::Types<On<EpollShop, AF_INET>, On<EpollShop, AF_UNIX>, On<UvShop, AF_INET>, On<BlockingShop, AF_INET>,
                     On<BlockingShop, AF_UNIX>, On<AsioShop, AF_INET>, On<HttplibShop, AF_INET>>;

}  // namespace holdfast::testing
