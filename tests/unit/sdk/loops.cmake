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

# The behaviour that all adapters share, if the libraries of all of them are installed.
if(TARGET sdk_loops_test
   AND Boost_FOUND
   AND httplib_FOUND)
  holdfast_test(
    sdk_shop_test
    SOURCES client.cpp fake_supervisor.cpp leave_within_test.cpp resets_test.cpp transfers_test.cpp
            tsan_suppressions.cpp
    LINKS holdfast_sdk holdfast_wire Boost::headers PkgConfig::httplib PkgConfig::LIBUV PkgConfig::LIBEVENT
          PkgConfig::MICROHTTPD
    LABELS unit_threads
    TIMEOUT 240)
  target_include_directories(sdk_shop_test PRIVATE ${PROJECT_SOURCE_DIR}/child-sdk)
endif()
