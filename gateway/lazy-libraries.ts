/**
 * Libraries that take long to load and that a start does not need: each is loaded with its first use, once. Together they
 * were a quarter of the time until the server listens.
 */
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

export const undici = (): typeof import('undici') => require('undici')
export const nodemailer = (): typeof import('nodemailer') => require('nodemailer')
export const phoneNumbers = (): typeof import('libphonenumber-js/max') => require('libphonenumber-js/max')
export const dateHolidays = (): typeof import('date-holidays').default => require('date-holidays')
