# The adapters: their building blocks and the servers of the library in each stage. Also under ThreadSanitizer.
find_package(Boost 1.81)
if(Boost_FOUND)
  holdfast_test(
    sdk_adapters_test
    SOURCES acceptor_test.cpp client.cpp fake_supervisor.cpp keep_alive_test.cpp tsan_suppressions.cpp
            server_test.cpp transfer_test.cpp
    LINKS holdfast_sdk holdfast_wire Boost::headers
    LABELS unit_threads
    TIMEOUT 120)
endif()

find_package(PkgConfig)
if(PKG_CONFIG_FOUND)
  pkg_check_modules(httplib IMPORTED_TARGET cpp-httplib)
endif()
if(httplib_FOUND)
  holdfast_test(
    sdk_httplib_test
    SOURCES client.cpp fake_supervisor.cpp httplib_test.cpp
    LINKS holdfast_sdk holdfast_wire PkgConfig::httplib
    LABELS unit_threads
    TIMEOUT 120)
endif()
