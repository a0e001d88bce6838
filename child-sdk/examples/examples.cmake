# Examples with and without the SDK that the tests run.
holdfast_program(plain-worker SOURCES ${CMAKE_CURRENT_LIST_DIR}/plain-worker.c)
holdfast_program(c-http SOURCES ${CMAKE_CURRENT_LIST_DIR}/c-http.c LINKS holdfast::c Threads::Threads)
holdfast_program(
  stubborn
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/stubborn/main.cpp ${CMAKE_CURRENT_LIST_DIR}/stubborn/faults.cpp
          ${CMAKE_CURRENT_LIST_DIR}/stubborn/options.cpp ${CMAKE_CURRENT_LIST_DIR}/stubborn/supervisor_channel.cpp)
holdfast_program(minimal SOURCES ${CMAKE_CURRENT_LIST_DIR}/minimal/main.cpp LINKS holdfast::sdk)
