# The adapters for event loops, if the libraries of all of them are installed.
if(TARGET PkgConfig::LIBUV
   AND TARGET PkgConfig::LIBEVENT
   AND TARGET PkgConfig::MICROHTTPD)
  holdfast_test(
    sdk_loops_test
    SOURCES client.cpp fake_supervisor.cpp loops_test.cpp
    LINKS holdfast_sdk holdfast_wire PkgConfig::LIBUV PkgConfig::LIBEVENT PkgConfig::MICROHTTPD
    LABELS unit_threads
    TIMEOUT 120)
endif()
