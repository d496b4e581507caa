// SPDX-License-Identifier: MIT
/* Style sheets are imported for their effect; the bundler makes a file of their own from them. */

declare module '*.css';
