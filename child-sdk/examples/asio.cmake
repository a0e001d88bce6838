# The examples with threads, Boost.Asio and cpp-httplib, each if its library is installed.
holdfast_program(threads-http SOURCES ${CMAKE_CURRENT_LIST_DIR}/threads-http.cpp LINKS holdfast::sdk)

find_package(Boost 1.81)
if(Boost_FOUND)
  # Beside the supervisor, Asio is compiled already.
  holdfast_program(hello-http SOURCES ${CMAKE_CURRENT_LIST_DIR}/hello-http.cpp
                   LINKS holdfast::sdk Boost::headers $<TARGET_NAME_IF_EXISTS:holdfast_asio>)
endif()

find_package(PkgConfig)
if(PKG_CONFIG_FOUND)
  pkg_check_modules(httplib IMPORTED_TARGET cpp-httplib)
endif()
if(httplib_FOUND)
  holdfast_program(httplib-http SOURCES ${CMAKE_CURRENT_LIST_DIR}/httplib-http.cpp
                   LINKS holdfast::sdk PkgConfig::httplib)
endif()
