# The examples of acceptor, threads, Boost.Asio and cpp-httplib, each where its library is installed.
find_package(Boost 1.81)
if(Boost_FOUND)
  holdfast_program(
    hello-http
    SOURCES ${CMAKE_CURRENT_LIST_DIR}/hello-http/acceptor.cpp ${CMAKE_CURRENT_LIST_DIR}/hello-http/connection.cpp
            ${CMAKE_CURRENT_LIST_DIR}/hello-http/main.cpp ${CMAKE_CURRENT_LIST_DIR}/hello-http/server.cpp
    LINKS holdfast::sdk Boost::headers)
endif()
