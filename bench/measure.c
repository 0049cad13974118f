// SPDX-License-Identifier: MIT
/* measure a program */
int main(void) { return 0; }
