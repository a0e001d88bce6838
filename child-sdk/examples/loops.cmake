# The examples of event loops and of servers with a loop of their own, each where its library is installed.
find_package(PkgConfig)
set(here ${CMAKE_CURRENT_LIST_DIR})

holdfast_program(epoll-http SOURCES ${here}/epoll-http.cpp LINKS holdfast::sdk)
