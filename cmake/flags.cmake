# Compiler and linker flags shared by every target.
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
# -O3 makes nothing here faster and every build slower.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
add_library(godwit_flags INTERFACE)
target_include_directories(godwit_flags INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_options(godwit_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wimplicit-fallthrough -Wno-missing-field-initializers
  $<$<BOOL:${GODWIT_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 and 13 see overflows in optimised std::string (PR105329, PR105651) and dangling pointers in
  # `if (const auto x = f(); ...)` where there are none.
  target_compile_options(godwit_flags INTERFACE
    $<$<CONFIG:Release>:-Wno-restrict> $<$<CONFIG:Release>:-Wno-stringop-overflow> $<$<CONFIG:Release>:-Wno-array-bounds>
    $<$<CONFIG:Release>:-Wno-dangling-pointer -Wno-stringop-overread>)
endif()
target_compile_definitions(godwit_flags INTERFACE _GNU_SOURCE GODWIT_VERSION="${PROJECT_VERSION}"
  JSON_USE_IMPLICIT_CONVERSIONS=0 JSON_DIAGNOSTICS=0)
if(GODWIT_SANITIZE)
  target_compile_options(godwit_flags INTERFACE -fsanitize=${GODWIT_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(godwit_flags INTERFACE -fsanitize=${GODWIT_SANITIZE})
else()
  # The network and the peers are hostile: the usual hardening, at no measurable cost.
  target_compile_options(godwit_flags INTERFACE -fstack-protector-strong
    $<$<CONFIG:Release>:-U_FORTIFY_SOURCE> $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2>)
  target_link_options(godwit_flags INTERFACE -Wl,-z,relro,-z,now -Wl,--as-needed)
endif()
# Position independent everywhere by hand: libraries and programs then share one precompiled header.
set(CMAKE_POSITION_INDEPENDENT_CODE OFF)
# ccache sees through the precompiled header only when the preprocessor keeps its name.
target_compile_options(godwit_flags INTERFACE -fPIE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
target_link_options(godwit_flags INTERFACE -pie)
