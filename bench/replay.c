// SPDX-License-Identifier: MIT
/* player */
int main(void) { return 0; }
