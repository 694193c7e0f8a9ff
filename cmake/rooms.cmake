# godwit_room(NAME [ROOMS r...] [LIBS l...]): src/NAME/*.cpp becomes the library godwit_NAME,
# and src/NAME/*_test.cpp the program NAME_test, which ctest knows as NAME.
enable_testing()
if(GODWIT_TESTS)
  find_package(GTest REQUIRED)
endif()

function(godwit_room name)
  cmake_parse_arguments(ARG "" "" "ROOMS;LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cpp)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$|/main\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  set(rooms)
  foreach(room ${ARG_ROOMS})
    list(APPEND rooms godwit_${room})
  endforeach()
  if(sources)
    set(scope PUBLIC)
    add_library(godwit_${name} STATIC ${sources})
    if(name STREQUAL "base")
      target_precompile_headers(godwit_base PRIVATE ${PROJECT_SOURCE_DIR}/cmake/pch.h)
    else()
      target_precompile_headers(godwit_${name} REUSE_FROM godwit_base)
    endif()
  else()
    set(scope INTERFACE)
    add_library(godwit_${name} INTERFACE)
  endif()
  target_link_libraries(godwit_${name} ${scope} godwit_flags ${rooms} ${ARG_LIBS})
  if(GODWIT_TESTS AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE godwit_${name} GTest::gmock GTest::gtest_main)
    target_precompile_headers(${name}_test REUSE_FROM godwit_base)
    target_compile_definitions(${name}_test PRIVATE GODWIT_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    add_test(NAME ${name} COMMAND ${name}_test)
  endif()
endfunction()

# The include table is part of the build: a forbidden include fails it.
file(GLOB_RECURSE all_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/*.h ${PROJECT_SOURCE_DIR}/src/*.cpp)
add_custom_command(OUTPUT ${PROJECT_BINARY_DIR}/includes.checked
  COMMAND ${CMAKE_COMMAND} -DSRC=${PROJECT_SOURCE_DIR}/src -DSTAMP=${PROJECT_BINARY_DIR}/includes.checked
          -P ${PROJECT_SOURCE_DIR}/cmake/check_includes.cmake
  DEPENDS ${all_sources} ${PROJECT_SOURCE_DIR}/cmake/check_includes.cmake
  COMMENT "checking the include table" VERBATIM)
add_custom_target(include_table ALL DEPENDS ${PROJECT_BINARY_DIR}/includes.checked)
